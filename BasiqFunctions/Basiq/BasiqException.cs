namespace BasiqFunctions.Basiq;

/// <summary>
/// A call to Basiq failed. The message holds kind, code, status, endpoint template and correlation id only, so that it may be
/// logged: Basiq's free text may quote personal data.
/// </summary>
/// <param name="failure">Why.</param>
/// <param name="innerException">The transport's exception, if there was one.</param>
public sealed class BasiqException(BasiqFailure failure, Exception? innerException = null)
    : Exception($"A call to Basiq failed: {failure}.", innerException)
{
    /// <summary>Why the call failed.</summary>
    public BasiqFailure Failure { get; } = failure;
}
