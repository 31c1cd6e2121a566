using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>
/// The records of requests with an <c>Idempotency-Key</c>, each in a partition of its own; those of a user are also named in a
/// partition of that user's, to be found when the user is deleted. A name there may outlive its record: it expires as the record does.
/// </summary>
internal sealed class IdempotencyRecords([FromKeyedServices(IdempotencyOptions.Section)] IRecordTable table)
{
    /// <summary>The row of every record.</summary>
    internal const string Row = "record";

    private const string UserPartitionPrefix = "user-";

    /// <summary>Finds a record, expired or not; null when there is none.</summary>
    public async Task<IdempotencyRecord?> FindAsync(string id, CancellationToken cancellation) =>
        await table.FindAsync(id, Row, cancellation) is { } found ? Of(found) : null;

    /// <summary>Adds a record. Returns it with its etag; null when there is one of that id.</summary>
    public async Task<IdempotencyRecord?> TryAddAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        await NameAsync(record, cancellation);
        return await table.TryAddAsync(Stored(record), cancellation) is { } added ? record with { ETag = added.ETag } : null;
    }

    /// <summary>Replaces the version that the record's etag names. Returns it with its new etag; null when that version is gone.</summary>
    public async Task<IdempotencyRecord?> TryReplaceAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        await NameAsync(record, cancellation);
        return await table.TryReplaceAsync(Stored(record), cancellation) is { } replaced ? record with { ETag = replaced.ETag } : null;
    }

    /// <summary>Removes the version that the record's etag names; false when that is gone.</summary>
    public Task<bool> TryRemoveAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        table.TryRemoveAsync(Stored(record), cancellation);

    /// <summary>Removes all records of a user.</summary>
    public async Task RemoveOfUserAsync(UserId userId, CancellationToken cancellation)
    {
        var partition = UserPartitionPrefix + userId;
        await foreach (var name in table.ListAllAsync(partition, cancellation))
        {
            // The key may have expired and been used again, for another user.
            await table.RemoveUnlessAsync(name.Row, Row, found => Of(found).UserId != userId, cancellation);
            await table.RemoveAsync(partition, name.Row, cancellation);
        }
    }

    private static TableRecord Stored(IdempotencyRecord record) =>
        new(record.Id, Row, (record with { ETag = null }).ToContent())
        {
            ExpiresAt = record.ExpiresAt,
            ETag = record.ETag,
        };

    private static IdempotencyRecord Of(TableRecord found) => found.Read<IdempotencyRecord>() with { ETag = found.ETag };

    /// <summary>Before the record itself: one that is not named would be missed when the user is deleted.</summary>
    private async Task NameAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        if (record.UserId is { } userId)
            await table.PutAsync(new TableRecord(UserPartitionPrefix + userId, record.Id, []) { ExpiresAt = record.ExpiresAt }, cancellation);
    }
}
