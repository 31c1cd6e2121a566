using System.Collections.Concurrent;
using System.Globalization;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Tests.Platform.Records;

/// <summary>Tables in memory: of conditional changes that race, one wins.</summary>
internal sealed class MemoryRecordTables : IRecordTables
{
    private readonly ConcurrentDictionary<string, IRecordTable> _tables = [];

    public IRecordTable Open(string name) => _tables.GetOrAdd(name, static _ => new Table());

    private sealed class Table : IRecordTable
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<string, TableRecord> _records = new(StringComparer.Ordinal);
        private int _version;

        public Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation)
        {
            lock (_gate)
                return Task.FromResult(_records.GetValueOrDefault($"{partition}/{row}"));
        }

        public Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation) => Put(record, expected: null);

        public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) => Put(record, record.ETag!);

        public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation)
        {
            lock (_gate)
                return Task.FromResult(_records.GetValueOrDefault(Key(record))?.ETag == record.ETag && _records.Remove(Key(record)));
        }

        public Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation)
        {
            lock (_gate)
                return Task.FromResult(_records.Remove($"{partition}/{row}"));
        }

        public Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation)
        {
            lock (_gate)
            {
                return Task.FromResult<IReadOnlyList<TableRecord>>(
                    [.. _records.Values.Where(r => r.Partition == partition && string.CompareOrdinal(r.Row, after) > 0).Take(limit)]);
            }
        }

        public Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation)
        {
            lock (_gate)
            {
                string[] expired = [.. _records.Where(r => !r.Value.IsLiveAt(now)).Select(r => r.Key)];
                return Task.FromResult(expired.Count(_records.Remove));
            }
        }

        private static string Key(TableRecord record) => $"{record.Partition}/{record.Row}";

        private Task<TableRecord?> Put(TableRecord record, string? expected)
        {
            lock (_gate)
            {
                if (_records.GetValueOrDefault(Key(record))?.ETag != expected)
                    return Task.FromResult<TableRecord?>(null);
                var stored = record with { ETag = (++_version).ToString(CultureInfo.InvariantCulture) };
                _records[Key(record)] = stored;
                return Task.FromResult<TableRecord?>(stored);
            }
        }
    }
}
