namespace BasiqFunctions.LocalHost.Functions;

internal static partial class Log
{
    [LoggerMessage(2102, LogLevel.Error, "Could not record the next run of timer function {Name} in the journal.")]
    public static partial void TimerNotSaved(ILogger logger, string name, Exception exception);

    [LoggerMessage(2101, LogLevel.Error, "Timer function {Name} failed.")]
    public static partial void TimerFailed(ILogger logger, string name, Exception exception);
}
