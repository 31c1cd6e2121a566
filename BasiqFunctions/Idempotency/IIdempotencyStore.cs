namespace BasiqFunctions.Idempotency;

/// <summary>
/// Keeps the records of requests with an <c>Idempotency-Key</c>, for all instances of the app. Every change has a condition, so
/// that of instances that race one wins. A failure is an exception of the storage's own.
/// </summary>
internal interface IIdempotencyStore
{
    /// <summary>Finds a record, expired or not; null when there is none.</summary>
    Task<IdempotencyRecord?> FindAsync(string id, CancellationToken cancellation);

    /// <summary>Adds a record. Returns it with its etag; null when there is one of that id.</summary>
    Task<IdempotencyRecord?> TryAddAsync(IdempotencyRecord record, CancellationToken cancellation);

    /// <summary>Replaces the version that the record's etag names. Returns it with its new etag; null when that version is gone.</summary>
    Task<IdempotencyRecord?> TryReplaceAsync(IdempotencyRecord record, CancellationToken cancellation);

    /// <summary>Removes the version that the record's etag names; false when that is gone.</summary>
    Task<bool> TryRemoveAsync(IdempotencyRecord record, CancellationToken cancellation);

    /// <summary>Removes all records of a user.</summary>
    Task RemoveOfUserAsync(string userId, CancellationToken cancellation);

    /// <summary>Removes the records that expired by a moment, and returns how many those were.</summary>
    Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation);
}
