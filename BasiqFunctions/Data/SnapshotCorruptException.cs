namespace BasiqFunctions.Data;

/// <summary>A blob of the store is damaged, half-written or missing. The message names the blob, never its content.</summary>
public sealed class SnapshotCorruptException(string blobName, string problem, Exception? innerException = null)
    : Exception($"The snapshot blob '{blobName}' cannot be read: {problem}.", innerException)
{
    /// <summary>The blob.</summary>
    public string BlobName { get; } = blobName;
}
