namespace BasiqFunctions.LocalHost;

internal static partial class Log
{
    [LoggerMessage(2300, LogLevel.Warning,
        "The machine's clock jumped by {Seconds} s. Time goes on as before until the clock has stood by that for ten minutes.")]
    public static partial void ClockJumped(ILogger logger, long seconds);

    [LoggerMessage(2301, LogLevel.Warning, "The machine's clock has stood by its jump of {Seconds} s for ten minutes and is followed now.")]
    public static partial void ClockFollowed(ILogger logger, long seconds);
}
