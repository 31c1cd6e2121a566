namespace BasiqFunctions.LocalHost.Orchestrations;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Information, "Took up {Count} unfinished orchestrations from the journal.")]
    public static partial void OrchestrationsResumed(ILogger logger, int count);

    [LoggerMessage(2002, LogLevel.Error, "Orchestration {Name} of instance {InstanceId} failed.")]
    public static partial void OrchestrationFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2003, LogLevel.Warning, "Activity {Name} of instance {InstanceId} failed.")]
    public static partial void ActivityFailed(ILogger logger, string name, string instanceId, Exception exception);

    [LoggerMessage(2004, LogLevel.Error, "The journal cannot be written; instance {InstanceId} waits and tries again.")]
    public static partial void JournalNotWritable(ILogger logger, string instanceId, Exception exception);

    [LoggerMessage(2005, LogLevel.Error,
        "No orchestrator is named {Name} any more; instance {InstanceId} stays as it is until one is.")]
    public static partial void OrchestratorMissing(ILogger logger, string name, string instanceId);

    [LoggerMessage(2006, LogLevel.Critical, "The orchestration engine has a fault of its own.")]
    public static partial void EngineFault(ILogger logger, Exception exception);

    [LoggerMessage(2007, LogLevel.Error, "The journal cannot be read; instance {InstanceId} waits and tries again.")]
    public static partial void JournalNotReadable(ILogger logger, string instanceId, Exception exception);
}
