namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>A lack of memory: it passes, and whatever loop it breaks nobody takes up again.</summary>
internal static class Shortage
{
    /// <summary>How long to block before another attempt; any other wait takes memory itself.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether an exception, or what it wraps, is one for want of memory.</summary>
    public static bool IsBehind(Exception? exception) =>
        exception is OutOfMemoryException || (exception is not null && IsBehind(exception.InnerException));
}
