namespace Microsoft.DurableTask;

/// <summary>Under which id, and when, an orchestration starts.</summary>
public record StartOrchestrationOptions
{
    // The names are the SDK's: callers may name the arguments.
    public StartOrchestrationOptions(string? InstanceId = null, DateTimeOffset? StartAt = null)
    {
        this.InstanceId = InstanceId;
        this.StartAt = StartAt;
    }

    public string? InstanceId { get; init; }

    public DateTimeOffset? StartAt { get; init; }
}
