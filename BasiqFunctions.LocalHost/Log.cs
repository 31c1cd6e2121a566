namespace BasiqFunctions.LocalHost;

internal static partial class Log
{
    [LoggerMessage(2300, LogLevel.Warning,
        "The clock jumped by {Seconds} s. Ignoring the jump unless it lasts ten minutes.")]
    public static partial void ClockJumped(ILogger logger, long seconds);

    [LoggerMessage(2301, LogLevel.Warning, "The clock has kept its jump of {Seconds} s for ten minutes; following it now.")]
    public static partial void ClockFollowed(ILogger logger, long seconds);

    [LoggerMessage(2302, LogLevel.Warning, "Unknown setting {Name}.{Hint}")]
    public static partial void UnknownSetting(ILogger logger, string name, string hint);
}
