using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>The row that the journal keeps of an orchestration beside its history.</summary>
internal sealed record InstanceRecord(
    string InstanceId,
    string Name,
    OrchestrationRuntimeStatus Status,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    string? Input,
    string? CustomStatus = null,
    string? Output = null,
    string? Failure = null)
{
    public bool IsFinished => Status
        is OrchestrationRuntimeStatus.Completed
        or OrchestrationRuntimeStatus.Failed
        or OrchestrationRuntimeStatus.Terminated;

    /// <summary>The record as callers see it. Like Durable Functions, input, output and status come only when asked for.</summary>
    public OrchestrationMetadata ToMetadata(bool withInputsAndOutputs) => new(Name, InstanceId)
    {
        DataConverter = withInputsAndOutputs ? JsonDataConverter.Default : null,
        RuntimeStatus = Status,
        CreatedAt = CreatedAt,
        LastUpdatedAt = UpdatedAt,
        SerializedInput = withInputsAndOutputs ? Input : null,
        SerializedOutput = withInputsAndOutputs ? Output : null,
        SerializedCustomStatus = withInputsAndOutputs ? CustomStatus : null,
        FailureDetails = Failure is null ? null : RecordedFailure.Parse(Failure).ToClient(),
    };
}
