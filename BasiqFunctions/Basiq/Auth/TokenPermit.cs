namespace BasiqFunctions.Basiq.Auth;

/// <summary>Whether a token may be requested.</summary>
/// <param name="IsGranted">Whether it may.</param>
/// <param name="Segment">Where the request is counted; negative when it is not.</param>
/// <param name="RetryAfter">When not, after which time the next permit is free.</param>
internal readonly record struct TokenPermit(bool IsGranted, long Segment, TimeSpan RetryAfter)
{
    private const long Nowhere = -1;

    public static TokenPermit Uncounted { get; } = new(true, Nowhere, TimeSpan.Zero);

    public bool IsCounted => IsGranted && Segment != Nowhere;

    public static TokenPermit Granted(long segment) => new(true, segment, TimeSpan.Zero);

    public static TokenPermit Refused(TimeSpan retryAfter) => new(false, Nowhere, retryAfter);
}
