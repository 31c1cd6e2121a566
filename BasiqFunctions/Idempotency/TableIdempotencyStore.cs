using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace BasiqFunctions.Idempotency;

/// <summary>
/// Records in Azure Table Storage, each in a partition of its own; those of a user are also named in a partition of that user's, to
/// be found when the user is deleted. A name there may outlive its record: it expires as the record does.
/// </summary>
internal sealed class TableIdempotencyStore(TableClient table) : IIdempotencyStore
{
    private const int ParallelDeletes = 8;
    private const string RecordRow = "record";
    private const string UserPartitionPrefix = "user-";

    private volatile bool _created;

    public async Task<IdempotencyRecord?> FindAsync(string id, CancellationToken cancellation)
    {
        var found = await table.GetEntityIfExistsAsync<TableEntity>(id, RecordRow, cancellationToken: cancellation);
        return found.HasValue ? RecordOf(found.Value!) : null;
    }

    public async Task<IdempotencyRecord?> TryAddAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        await EnsureTableAsync(cancellation);
        await NameAsync(record, cancellation);
        try
        {
            using var added = await table.AddEntityAsync(EntityOf(record), cancellation);
            return record with { ETag = added.Headers.ETag.ToString() };
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.EntityAlreadyExists)
        {
            return null;
        }
    }

    public async Task<IdempotencyRecord?> TryReplaceAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        try
        {
            await NameAsync(record, cancellation);
            using var replaced = await table.UpdateEntityAsync(EntityOf(record), ETagOf(record), TableUpdateMode.Replace, cancellation);
            return record with { ETag = replaced.Headers.ETag.ToString() };
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return null;
        }
    }

    public Task<bool> TryRemoveAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        TryDeleteAsync(record.Id, RecordRow, ETagOf(record), cancellation);

    public async Task RemoveOfUserAsync(string userId, CancellationToken cancellation)
    {
        await EnsureTableAsync(cancellation);
        var partition = UserPartitionPrefix + userId;
        var names = table.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), select: ["RowKey"], cancellationToken: cancellation);
        await Parallel.ForEachAsync(names, Parallelism(cancellation), async (name, token) =>
        {
            // The key may have expired and been used again, for another user.
            if (await FindAsync(name.RowKey, token) is { } record && record.UserId == userId)
                await TryDeleteAsync(record.Id, RecordRow, ETag.All, token);
            await TryDeleteAsync(partition, name.RowKey, ETag.All, token);
        });
    }

    public async Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        await EnsureTableAsync(cancellation);
        var removed = 0;
        var expired = table.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter($"ExpiresAt le {now}"), select: ["PartitionKey", "RowKey", "Timestamp"], cancellationToken: cancellation);
        await Parallel.ForEachAsync(expired, Parallelism(cancellation), async (entity, token) =>
        {
            // By etag: the key may be in use again.
            if (await TryDeleteAsync(entity.PartitionKey, entity.RowKey, entity.ETag, token) && entity.RowKey == RecordRow)
                Interlocked.Increment(ref removed);
        });
        return removed;
    }

    private static ParallelOptions Parallelism(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = ParallelDeletes, CancellationToken = cancellation };

    private static ETag ETagOf(IdempotencyRecord record) =>
        new(record.ETag ?? throw new ArgumentException("The record has not been stored.", nameof(record)));

    private static TableEntity EntityOf(IdempotencyRecord record) => new(record.Id, RecordRow)
    {
        ["Fingerprint"] = record.Fingerprint,
        ["Claim"] = record.Claim,
        ["State"] = (int)record.State,
        ["LeaseUntil"] = record.LeaseUntil,
        ["ExpiresAt"] = record.ExpiresAt,
        ["UserId"] = record.UserId,
        ["Answer"] = record.Answer,
    };

    private static IdempotencyRecord RecordOf(TableEntity entity) => new(
        entity.PartitionKey,
        entity.GetString("Fingerprint"),
        entity.GetString("Claim"),
        (IdempotencyState)entity.GetInt32("State")!.Value,
        entity.GetDateTimeOffset("LeaseUntil")!.Value,
        entity.GetDateTimeOffset("ExpiresAt")!.Value)
    {
        UserId = entity.GetString("UserId"),
        Answer = entity.GetBinary("Answer"),
        ETag = entity.ETag.ToString(),
    };

    /// <summary>Before the record itself: one that is not named would be missed when the user is deleted.</summary>
    private async Task NameAsync(IdempotencyRecord record, CancellationToken cancellation)
    {
        if (record.UserId is not { } userId)
            return;
        using var named = await table.UpsertEntityAsync(
            new TableEntity(UserPartitionPrefix + userId, record.Id) { ["ExpiresAt"] = record.ExpiresAt }, TableUpdateMode.Replace, cancellation);
    }

    /// <summary>False when there is none of that etag.</summary>
    private async Task<bool> TryDeleteAsync(string partition, string row, ETag etag, CancellationToken cancellation)
    {
        try
        {
            using var deleted = await table.DeleteEntityAsync(partition, row, etag, cancellation);
            return deleted.Status != 404;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return false;
        }
    }

    private async Task EnsureTableAsync(CancellationToken cancellation)
    {
        if (_created)
            return;
        await table.CreateIfNotExistsAsync(cancellation);
        _created = true;
    }
}
