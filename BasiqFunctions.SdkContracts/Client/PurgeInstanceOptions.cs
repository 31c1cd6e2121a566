namespace Microsoft.DurableTask.Client;

/// <summary>Whether a purge takes sub-orchestrations along.</summary>
public record PurgeInstanceOptions(bool Recursive = false);
