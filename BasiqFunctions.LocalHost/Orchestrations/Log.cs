namespace BasiqFunctions.LocalHost.Orchestrations;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Information, "Resumed {Count} unfinished orchestrations.")]
    public static partial void OrchestrationsResumed(ILogger logger, int count);

    [LoggerMessage(2002, LogLevel.Error, "Orchestration {Name} of instance {InstanceId} failed.")]
    public static partial void OrchestrationFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2003, LogLevel.Warning, "Activity {Name} of instance {InstanceId} failed.")]
    public static partial void ActivityFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2004, LogLevel.Error,
        "Cannot use the journal: {Code}. Running orchestrations wait and retry. Failures since the last message: {Count}.")]
    public static partial void JournalUnavailable(ILogger logger, string code, int count);

    [LoggerMessage(2005, LogLevel.Error,
        "No orchestrator named {Name}; instance {InstanceId} waits until there is one.")]
    public static partial void OrchestratorMissing(ILogger logger, string name, string instanceId);

    [LoggerMessage(2006, LogLevel.Critical,
        "Internal error in the orchestration engine. Errors since the last message: {Count}.")]
    public static partial void EngineFault(ILogger logger, int count, Exception exception);
}
