using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Basiq;

/// <summary>
/// A call to Basiq failed. The message holds kind, code, status, endpoint template and correlation id only, so that it may be
/// logged: Basiq's free text may quote personal data.
/// </summary>
/// <param name="failure">Why.</param>
/// <param name="innerException">The transport's exception, if there was one.</param>
public sealed class BasiqException(BasiqFailure failure, Exception? innerException = null)
    : Exception($"A call to Basiq failed: {failure}.", innerException), IProblem
{
    /// <summary>Why the call failed.</summary>
    public BasiqFailure Failure { get; } = failure;

    string IProblem.Code => Failure.Code;

    // What this app refused itself is logged by whoever did, once a minute and not by each call.
    string? IProblem.Logged => Failure.IsRefusedHere ? null : Failure.ToString();

    ProblemResult IProblem.ToProblem() => Failure.ToProblem();
}
