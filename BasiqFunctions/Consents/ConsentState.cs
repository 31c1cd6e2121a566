namespace BasiqFunctions.Consents;

/// <summary>What a consent's <c>state</c> says, once its signature has been verified.</summary>
/// <param name="UserId">Whose consent it is.</param>
/// <param name="ReturnUrl">Where the person goes next, if anywhere.</param>
/// <param name="ExpiresAt">Until when it is taken.</param>
public sealed record ConsentState(string UserId, string? ReturnUrl, DateTimeOffset ExpiresAt)
{
    /// <summary>The user's id alone: a URL may hold anything.</summary>
    public override string ToString() => $"{nameof(ConsentState)} of {UserId}";
}
