namespace BasiqFunctions.Data;

/// <summary>A blob being written. Disposed without <see cref="CommitAsync"/>, it never existed.</summary>
public abstract class SnapshotBlobWriter : IAsyncDisposable
{
    /// <summary>Appends; the bytes may be reused by the caller once the task has completed.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Makes the blob durable and visible in one step. At most once.</summary>
    public abstract Task CommitAsync(CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
