namespace BasiqFunctions.LocalHost.Orchestrations;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Information, "Took up {Count} unfinished orchestrations from the journal.")]
    public static partial void OrchestrationsResumed(ILogger logger, int count);

    [LoggerMessage(2002, LogLevel.Error, "Orchestration {Name} of instance {InstanceId} failed.")]
    public static partial void OrchestrationFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2003, LogLevel.Warning, "Activity {Name} of instance {InstanceId} failed.")]
    public static partial void ActivityFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2004, LogLevel.Error,
        "The journal cannot be used: {Code}. What is under way waits and tries again ({Count} times since the last line like this, of which there is one a minute at most).")]
    public static partial void JournalUnavailable(ILogger logger, string code, int count);

    [LoggerMessage(2005, LogLevel.Error,
        "No orchestrator is named {Name} any more; instance {InstanceId} stays as it is until one is.")]
    public static partial void OrchestratorMissing(ILogger logger, string name, string instanceId);

    [LoggerMessage(2006, LogLevel.Critical,
        "The orchestration engine has a fault of its own ({Count} since the last line like this, of which there is one a minute at most).")]
    public static partial void EngineFault(ILogger logger, int count, Exception exception);
}
