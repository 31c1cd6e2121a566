namespace BasiqFunctions.Basiq.Models;

/// <summary>The body of <c>POST /users/{userId}/auth_link</c>.</summary>
internal sealed record AuthLinkRequest(string? Mobile)
{
    /// <summary>Not the number.</summary>
    public override string ToString() => nameof(AuthLinkRequest);
}
