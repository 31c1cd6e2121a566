using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.LocalHost.Records;

/// <summary>
/// Tables in one SQLite file that only its owner can read. A change has happened when its task completes: neither a killed process
/// nor a power cut takes it back.
/// </summary>
internal sealed class SqliteRecordTables : IRecordTables, IDisposable
{
    private const string Store = "records";

    private const string Schema = """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        BEGIN;
        CREATE TABLE IF NOT EXISTS records (
            name TEXT NOT NULL, part TEXT NOT NULL, row TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER, etag TEXT NOT NULL,
            crc INTEGER, PRIMARY KEY (name, part, row)) WITHOUT ROWID;
        DROP INDEX IF EXISTS records_by_expiry;
        COMMIT;
        """;

    /// <summary>Reads have a connection of their own: they go on while writes wait for another program's lock.</summary>
    private readonly Line _reads;

    private readonly Line _writes;

    private SqliteRecordTables(SqliteConnection reads, SqliteConnection writes) => (_reads, _writes) = (new Line(reads), new Line(writes));

    /// <summary>Opens the file, making it and its folder if they are missing, and looks whether it is whole.</summary>
    /// <exception cref="StoreUnavailableException">The file holds something else, or cannot be written.</exception>
    public static SqliteRecordTables Open(string path)
    {
        if (!File.Exists(path))
        {
            OwnerOnly.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            OwnerOnly.CreateFile(path).Dispose();
        }

        var connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = SqliteFailure.PatienceWithLocks,
            Pooling = false,
        }.ToString();
        var connection = new SqliteConnection(connectionString);
        var reads = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA quick_check(1)";
            if (command.ExecuteScalar() is not "ok")
                throw new StoreUnavailableException(Store, StoreUnavailableException.Damaged);
            command.CommandText = Schema;
            command.ExecuteNonQuery();

            // A file from before there were checksums: its records have none. The version is asked, too, so that a damaged name of a
            // column does not pass for that.
            command.CommandText = "SELECT user_version FROM pragma_user_version";
            if (command.ExecuteScalar() is 0L)
            {
                command.CommandText = "SELECT count(*) FROM pragma_table_info('records') WHERE name = 'crc'";
                if (command.ExecuteScalar() is 0L)
                {
                    command.CommandText = "ALTER TABLE records ADD COLUMN crc INTEGER";
                    command.ExecuteNonQuery();
                }

                command.CommandText = "PRAGMA user_version = 1";
                command.ExecuteNonQuery();
            }

            reads.Open();
            return new SqliteRecordTables(reads, connection);
        }
        catch (Exception exception)
        {
            reads.Dispose();
            connection.Dispose();
            throw exception is SqliteException sqlite ? Unavailable(sqlite) : exception;
        }
    }

    IRecordTable IRecordTables.Open(string name) => new Table(this, name);

    public void Dispose()
    {
        _reads.Dispose();
        _writes.Dispose();
    }

    private static StoreUnavailableException Unavailable(SqliteException exception) => new(Store, SqliteFailure.CodeOf(exception), exception);

    /// <summary>A connection, and those who wait for their turn on it.</summary>
    private sealed class Line(SqliteConnection connection) : IDisposable
    {
        private readonly SemaphoreSlim _turn = new(1, 1);
        private long _lockedAt = long.MinValue;

        public async Task<T> RunAsync<T>(
            string sql, Action<SqliteParameterCollection> bind, Func<SqliteCommand, Task<T>> run, CancellationToken cancellation)
        {
            var asked = Stopwatch.GetTimestamp();
            await _turn.WaitAsync(cancellation);
            try
            {
                // Whoever came while another waited for a lock in vain has waited for it as well.
                if (_lockedAt > asked)
                    throw new StoreUnavailableException(Store, StoreUnavailableException.Locked);
                await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is one of the constants of this class.
                command.CommandText = sql;
#pragma warning restore CA2100
                bind(command.Parameters);
                return await run(command);
            }
            catch (SqliteException exception)
            {
                var unavailable = Unavailable(exception);
                if (unavailable.Code == StoreUnavailableException.Locked)
                    _lockedAt = Stopwatch.GetTimestamp();
                throw unavailable;
            }
            catch (Exception exception) when (exception is InvalidCastException or ArgumentOutOfRangeException or OverflowException)
            {
                // A column of another type than was ever written to it.
                throw new StoreUnavailableException(Store, StoreUnavailableException.Damaged, exception);
            }
            finally
            {
                _turn.Release();
            }
        }

        public void Dispose()
        {
            connection.Dispose();
            _turn.Dispose();
        }
    }

    private sealed class Table(SqliteRecordTables file, string name) : IRecordTable
    {
        public async Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation) =>
            (await ReadAsync(
                "SELECT part, row, content, expires_at, etag, crc FROM records WHERE name = $name AND part = $part AND row = $row",
                parameters =>
                {
                    parameters.AddWithValue("$part", TableRecord.CheckName(partition));
                    parameters.AddWithValue("$row", TableRecord.CheckName(row));
                },
                cancellation)).FirstOrDefault();

        public Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation) =>
            StoreAsync(
                """
                INSERT INTO records (name, part, row, content, expires_at, etag, crc) VALUES ($name, $part, $row, $content, $expires, $next, $crc)
                ON CONFLICT DO NOTHING
                """,
                record,
                cancellation);

        public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) =>
            StoreAsync(
                """
                UPDATE records SET content = $content, expires_at = $expires, etag = $next, crc = $crc
                WHERE name = $name AND part = $part AND row = $row AND etag = $etag
                """,
                record with { ETag = ETagOf(record) },
                cancellation);

        public async Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) =>
            await ChangeAsync(
                "DELETE FROM records WHERE name = $name AND part = $part AND row = $row AND etag = $etag",
                parameters =>
                {
                    parameters.AddWithValue("$part", record.Partition);
                    parameters.AddWithValue("$row", record.Row);
                    parameters.AddWithValue("$etag", ETagOf(record));
                },
                cancellation) == 1;

        public async Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation) =>
            await ChangeAsync(
                "DELETE FROM records WHERE name = $name AND part = $part AND row = $row",
                parameters =>
                {
                    parameters.AddWithValue("$part", TableRecord.CheckName(partition));
                    parameters.AddWithValue("$row", TableRecord.CheckName(row));
                },
                cancellation) == 1;

        public async Task<IReadOnlyList<TableRecord>> ListAsync(
            string partition, int limit, string? after, CancellationToken cancellation)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
            return await ReadAsync(
                """
                SELECT part, row, content, expires_at, etag, crc FROM records
                WHERE name = $name AND part = $part AND row > $after ORDER BY row LIMIT $limit
                """,
                parameters =>
                {
                    parameters.AddWithValue("$part", TableRecord.CheckName(partition));
                    parameters.AddWithValue("$after", after is null ? "" : TableRecord.CheckName(after));
                    parameters.AddWithValue("$limit", limit);
                },
                cancellation);
        }

        private static string ETagOf(TableRecord record) =>
            record.ETag ?? throw new ArgumentException("The record has not been stored.", nameof(record));

        private async Task<TableRecord?> StoreAsync(string sql, TableRecord record, CancellationToken cancellation)
        {
            record.Checked();

            // Random: a record that is removed and added again is another version, not the first once more.
            var next = Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
            var stored = await ChangeAsync(
                sql,
                parameters =>
                {
                    parameters.AddWithValue("$part", record.Partition);
                    parameters.AddWithValue("$row", record.Row);
                    parameters.AddWithValue("$content", record.Content);
                    parameters.AddWithValue("$expires", (object?)record.ExpiresAt?.UtcTicks ?? DBNull.Value);
                    parameters.AddWithValue("$etag", record.ETag ?? "");
                    parameters.AddWithValue("$next", next);
                    parameters.AddWithValue("$crc", (object?)record.Checksum ?? DBNull.Value);
                },
                cancellation);
            return stored == 1 ? record with { ETag = next } : null;
        }

        private Task<int> ChangeAsync(string sql, Action<SqliteParameterCollection> bind, CancellationToken cancellation) =>
            file._writes.RunAsync(sql, Named(bind), command => command.ExecuteNonQueryAsync(cancellation), cancellation);

        private Task<List<TableRecord>> ReadAsync(string sql, Action<SqliteParameterCollection> bind, CancellationToken cancellation) =>
            file._reads.RunAsync(
                sql,
                Named(bind),
                async command =>
                {
                    List<TableRecord> records = [];
                    await using var reader = await command.ExecuteReaderAsync(cancellation);
                    while (await reader.ReadAsync(cancellation))
                    {
                        records.Add(new TableRecord(reader.GetString(0), reader.GetString(1), (byte[])reader.GetValue(2))
                        {
                            ExpiresAt = reader.IsDBNull(3) ? null : new DateTimeOffset(reader.GetInt64(3), TimeSpan.Zero),
                            ETag = reader.GetString(4),
                            Checksum = reader.IsDBNull(5) ? null : checked((uint)reader.GetInt64(5)),
                        });
                    }

                    return records;
                },
                cancellation);

        private Action<SqliteParameterCollection> Named(Action<SqliteParameterCollection> bind) => parameters =>
        {
            parameters.AddWithValue("$name", name);
            bind(parameters);
        };
    }
}
