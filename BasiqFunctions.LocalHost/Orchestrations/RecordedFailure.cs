using System.Text.Json;
using DurableTask.Core;
using Microsoft.DurableTask;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>A failure as the journal keeps it, and as each side of Durable Task has it.</summary>
internal sealed record RecordedFailure(string ErrorType, string ErrorMessage, RecordedFailure? InnerFailure = null, bool IsNonRetriable = false)
{
    public static RecordedFailure Parse(string json) => JsonSerializer.Deserialize<RecordedFailure>(json)!;

    public FailureDetails ToCore() => new(ErrorType, ErrorMessage, null, InnerFailure?.ToCore(), IsNonRetriable);

    public TaskFailureDetails ToClient() => new(ErrorType, ErrorMessage, null, InnerFailure?.ToClient(), null);
}
