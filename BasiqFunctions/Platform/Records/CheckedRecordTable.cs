using System.Globalization;
using System.Text;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// A table whose records each carry a checksum over their names, their expiry and their content, checked whenever one is read: what
/// is handed out is what was stored, whatever the table is kept in. A damaged record can still be replaced and removed.
/// </summary>
internal sealed class CheckedRecordTable(
    IRecordTable inner, string name, Instruments instruments, TimeProvider clock, ILogger<CheckedRecordTable> logger) : IRecordTable
{
    private readonly LogPace _damages = new(clock);

    public async Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation) =>
        await inner.FindAsync(partition, row, cancellation) is { } found ? Checked(found, found.Partition == partition && found.Row == row) : null;

    public Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation) =>
        inner.TryAddAsync(record with { Checksum = ChecksumOf(record) }, cancellation);

    public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) =>
        inner.TryReplaceAsync(record with { Checksum = ChecksumOf(record) }, cancellation);

    public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) => inner.TryRemoveAsync(record, cancellation);

    public Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation) => inner.RemoveAsync(partition, row, cancellation);

    public async Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation) =>
        [.. (await inner.ListAsync(partition, limit, after, cancellation)).Select(record => Checked(record, record.Partition == partition))];

    private static uint ChecksumOf(TableRecord record)
    {
        var names = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{record.Partition}/{record.Row}/{record.ExpiresAt?.UtcTicks}/"));
        return Crc32C.Compute([.. names, .. record.Content]);
    }

    private TableRecord Checked(TableRecord stored, bool isAskedFor)
    {
        // One from before there were checksums has none. A damaged index leads to a sound record, but another one.
        if (isAskedFor && stored.Damage is null && (stored.Checksum is null || stored.Checksum == ChecksumOf(stored)))
            return stored;
        instruments.Damaged("records");
        if (_damages.IsDue(out var count))
            Log.Damaged(logger, name, count);
        return stored with { Damage = new StoreUnavailableException("records", StoreUnavailableException.Damaged) };
    }
}
