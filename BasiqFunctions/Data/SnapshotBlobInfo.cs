namespace BasiqFunctions.Data;

/// <summary>A blob as a listing shows it. <paramref name="Length"/> is in bytes.</summary>
public sealed record SnapshotBlobInfo(string Name, long Length, DateTimeOffset LastModified);
