namespace BasiqFunctions.Data;

/// <summary>A blob of the store is damaged, half-written or missing. The message names the blob, never its content.</summary>
public class SnapshotCorruptException(string blobName, string problem, Exception? innerException = null)
    : Exception($"The snapshot blob '{blobName}' cannot be read: {problem}.", innerException)
{
    /// <summary>The blob.</summary>
    public string BlobName { get; } = blobName;
}

/// <summary>
/// A blob of the store is whole, and this version of the app cannot read it: a later one, rolled back by now, wrote it. Nothing repairs
/// it, since that would lose what the later one can read; a removal removes it.
/// </summary>
public sealed class SnapshotFromLaterVersionException(string blobName) : SnapshotCorruptException(blobName, "a later version of this app wrote it");

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
