using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// A table whose records are removed once they have expired: the day is written down before the record is. A record that is given a later
/// end is looked at on the day of the first one, and looked at again then.
/// </summary>
internal sealed class EndingRecordTable(IRecordTable inner, string key, DueWork due) : IRecordTable
{
    public Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation) => inner.FindAsync(partition, row, cancellation);

    public async Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation)
    {
        if (record.ExpiresAt is { } end)
            await due.SetRecordEndAsync(key, record.Checked(), end, cancellation);
        return await inner.TryAddAsync(record, cancellation);
    }

    public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) => inner.TryReplaceAsync(record, cancellation);

    public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) => inner.TryRemoveAsync(record, cancellation);

    public Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation) => inner.RemoveAsync(partition, row, cancellation);

    public Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation) =>
        inner.ListAsync(partition, limit, after, cancellation);
}

/// <summary>Which record ends.</summary>
/// <param name="Table">What its feature calls the table.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Row">Its row.</param>
internal sealed record RecordEnd(
    [property: JsonPropertyName("table")] string Table,
    [property: JsonPropertyName("partition")] string Partition,
    [property: JsonPropertyName("row")] string Row);
