namespace Microsoft.DurableTask;

/// <summary>Under which id, and when, an orchestration starts.</summary>
public record StartOrchestrationOptions(string? InstanceId = null, DateTimeOffset? StartAt = null);
