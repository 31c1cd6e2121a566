namespace BasiqFunctions.Data;

/// <summary>A blob's content and the etag that a conditional write must name.</summary>
public sealed record SnapshotBlob(ReadOnlyMemory<byte> Content, string ETag);
