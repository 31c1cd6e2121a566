using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace BasiqFunctions.Platform.Records;

/// <summary>A table of Azure Table Storage, made on first use.</summary>
internal sealed class AzureRecordTable(TableClient table) : IRecordTable
{
    private const int MostPerPage = 1_000;
    private const string ExpiresAt = "ExpiresAt";
    private const string Checksum = "Crc32C";

    /// <summary>A property holds 64 KiB (Microsoft Learn, "Understanding the Table service data model").</summary>
    private const int MostPerProperty = 64 * 1024;

    private volatile bool _created;

    public async Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation)
    {
        await EnsureTableAsync(cancellation);
        var found = await table.GetEntityIfExistsAsync<TableEntity>(
            TableRecord.CheckName(partition), TableRecord.CheckName(row), cancellationToken: cancellation);
        return found.HasValue ? RecordOf(found.Value!) : null;
    }

    public async Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation)
    {
        var entity = EntityOf(record.Checked());
        await EnsureTableAsync(cancellation);
        try
        {
            using var added = await table.AddEntityAsync(entity, cancellation);
            return record with { ETag = added.Headers.ETag.ToString() };
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.EntityAlreadyExists)
        {
            return null;
        }
    }

    public async Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation)
    {
        var entity = EntityOf(record.Checked());
        await EnsureTableAsync(cancellation);
        try
        {
            using var replaced = await table.UpdateEntityAsync(entity, ETagOf(record), TableUpdateMode.Replace, cancellation);
            return record with { ETag = replaced.Headers.ETag.ToString() };
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return null;
        }
    }

    public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) =>
        RemoveAsync(record.Partition, record.Row, ETagOf(record), cancellation);

    public Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation) =>
        RemoveAsync(TableRecord.CheckName(partition), TableRecord.CheckName(row), ETag.All, cancellation);

    public async Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        await EnsureTableAsync(cancellation);
        TableRecord.CheckName(partition);
        var filter = after is null
            ? TableClient.CreateQueryFilter($"PartitionKey eq {partition}")
            : TableClient.CreateQueryFilter($"PartitionKey eq {partition} and RowKey gt {TableRecord.CheckName(after)}");
        List<TableRecord> records = [];
        await foreach (var entity in table.QueryAsync<TableEntity>(filter, Math.Min(limit, MostPerPage), cancellationToken: cancellation))
        {
            records.Add(RecordOf(entity));
            if (records.Count == limit)
                break;
        }

        return records;
    }

    private async Task<bool> RemoveAsync(string partition, string row, ETag etag, CancellationToken cancellation)
    {
        await EnsureTableAsync(cancellation);
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

    private static ETag ETagOf(TableRecord record) =>
        new(record.ETag ?? throw new ArgumentException("The record has not been stored.", nameof(record)));

    private static TableEntity EntityOf(TableRecord record)
    {
        var entity = new TableEntity(record.Partition, record.Row) { ["Length"] = record.Content.Length };
        if (record.ExpiresAt is { } expiresAt)
            entity[ExpiresAt] = expiresAt;
        if (record.Checksum is { } checksum)
            entity[Checksum] = (long)checksum;
        for (var (at, part) = (0, 0); at < record.Content.Length; at += MostPerProperty, part++)
            entity[PartName(part)] = record.Content[at..Math.Min(at + MostPerProperty, record.Content.Length)];
        return entity;
    }

    private static TableRecord RecordOf(TableEntity entity)
    {
        var content = new byte[Math.Clamp(entity.GetInt32("Length") ?? 0, 0, TableRecord.MaxContentBytes)];
        var read = 0;
        for (var part = 0; entity.GetBinary(PartName(part)) is { Length: > 0 } piece && read + piece.Length <= content.Length; part++)
        {
            piece.CopyTo(content, read);
            read += piece.Length;
        }

        return new TableRecord(entity.PartitionKey, entity.RowKey, content)
        {
            ExpiresAt = entity.GetDateTimeOffset(ExpiresAt),
            Checksum = (uint?)entity.GetInt64(Checksum),
            ETag = entity.ETag.ToString(),
            Damage = read == entity.GetInt32("Length") ? null : new StoreUnavailableException("records", StoreUnavailableException.Damaged),
        };
    }

    private static string PartName(int part) => part == 0 ? "Content" : $"Content{part + 1}";

    private async Task EnsureTableAsync(CancellationToken cancellation)
    {
        if (_created)
            return;
        await table.CreateIfNotExistsAsync(cancellation);
        _created = true;
    }
}

/// <summary>Tables of Azure Table Storage.</summary>
internal sealed class AzureRecordTables(TableServiceClient service) : IRecordTables
{
    public IRecordTable Open(string name) => new AzureRecordTable(service.GetTableClient(name));
}
