namespace BasiqFunctions.LocalHost.Functions;

internal static partial class Log
{
    [LoggerMessage(2102, LogLevel.Error, "The journal cannot note when timer function {Name} is due next.")]
    public static partial void TimerNotSaved(ILogger logger, string name, Exception exception);

    [LoggerMessage(2101, LogLevel.Error, "Timer function {Name} failed.")]
    public static partial void TimerFailed(ILogger logger, string name, Exception exception);
}
