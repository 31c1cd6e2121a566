namespace BasiqFunctions.Data;

/// <summary>A blob of the store is damaged, half-written or missing. The message names the blob, never its content.</summary>
public sealed class SnapshotCorruptException(string blobName, string problem, Exception? innerException = null)
    : Exception($"The snapshot blob '{blobName}' cannot be read: {problem}.", innerException)
{
    /// <summary>The blob.</summary>
    public string BlobName { get; } = blobName;
}

/// <summary>
/// The sync has no staged accounts: it never staged any, or it was discarded, or its user removed, while it still ran. Trying
/// again cannot help.
/// </summary>
public sealed class SnapshotDiscardedException(RunId runId, Exception? innerException = null)
    : Exception($"Sync '{runId}' has no staged accounts: it was discarded, or its user was removed.", innerException)
{
    /// <summary>The sync.</summary>
    public RunId RunId { get; } = runId;
}
