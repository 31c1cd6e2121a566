using BasiqFunctions.Idempotency;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.LocalHost.Idempotency;

/// <summary>
/// Records in an SQLite file that only its owner can read. A record's etag is the number of its version. A change has happened
/// when its task completes: neither a killed process nor a power cut takes it back.
/// </summary>
internal sealed class SqliteIdempotencyStore : IIdempotencyStore, IDisposable
{
    private const string Columns = "id, fingerprint, claim, state, lease_until, expires_at, user_id, answer, version";

    private readonly SqliteConnection _connection;
    private readonly SemaphoreSlim _turn = new(1, 1);

    private SqliteIdempotencyStore(SqliteConnection connection) => _connection = connection;

    private static string Schema => """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS records (
            id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, claim TEXT NOT NULL, state INTEGER NOT NULL,
            lease_until INTEGER NOT NULL, expires_at INTEGER NOT NULL, user_id TEXT, answer BLOB, version INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS records_by_user ON records (user_id);
        CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at);
        """;

    /// <summary>Opens the file, making it and its folder if they are missing.</summary>
    /// <exception cref="SqliteException">The file is not such a store, or cannot be written.</exception>
    public static SqliteIdempotencyStore Open(string path)
    {
        if (!File.Exists(path))
        {
            OwnerOnly.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            OwnerOnly.CreateFile(path).Dispose();
        }

        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30, Pooling = false }.ToString());
        connection.Open();
        using var schema = connection.CreateCommand();
        schema.CommandText = Schema;
        schema.ExecuteNonQuery();
        return new SqliteIdempotencyStore(connection);
    }

    public async Task<IdempotencyRecord?> FindAsync(string id, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await using var find = _connection.CreateCommand();
            find.CommandText = $"SELECT {Columns} FROM records WHERE id = $id";
            find.Parameters.AddWithValue("$id", id);
            await using var reader = await find.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation) ? RecordOf(reader) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<IdempotencyRecord?> TryAddAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        await ChangeAsync(
            $"""
            INSERT INTO records ({Columns}) VALUES ($id, $fingerprint, $claim, $state, $lease, $expires, $user, $answer, 1)
            ON CONFLICT (id) DO NOTHING
            """,
            record,
            cancellation) == 1
            ? record with { ETag = "1" }
            : null;

    public async Task<IdempotencyRecord?> TryReplaceAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        await ChangeAsync(
            """
            UPDATE records SET fingerprint = $fingerprint, claim = $claim, state = $state, lease_until = $lease,
                expires_at = $expires, user_id = $user, answer = $answer, version = $version + 1
            WHERE id = $id AND version = $version
            """,
            record,
            cancellation) == 1
            ? record with { ETag = Text(VersionOf(record) + 1) }
            : null;

    public async Task<bool> TryRemoveAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        await ChangeAsync("DELETE FROM records WHERE id = $id AND version = $version", record, cancellation) == 1;

    public async Task RemoveOfUserAsync(string userId, CancellationToken cancellation) =>
        await RunAsync(
            "DELETE FROM records WHERE user_id = $user", parameters => parameters.AddWithValue("$user", userId), cancellation);

    public Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation) =>
        RunAsync(
            "DELETE FROM records WHERE expires_at <= $now", parameters => parameters.AddWithValue("$now", now.UtcTicks), cancellation);

    public void Dispose()
    {
        _connection.Dispose();
        _turn.Dispose();
    }

    private static IdempotencyRecord RecordOf(SqliteDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), reader.GetString(2), (IdempotencyState)reader.GetInt32(3),
        new DateTimeOffset(reader.GetInt64(4), TimeSpan.Zero), new DateTimeOffset(reader.GetInt64(5), TimeSpan.Zero))
    {
        UserId = reader.IsDBNull(6) ? null : reader.GetString(6),
        Answer = reader.IsDBNull(7) ? null : reader.GetFieldValue<byte[]>(7),
        ETag = Text(reader.GetInt64(8)),
    };

    private static string Text(long version) => version.ToString("D", null);

    private static long VersionOf(IdempotencyRecord record) => long.TryParse(record.ETag, out var version) ? version : 0;

    private Task<int> ChangeAsync(string sql, IdempotencyRecord record, CancellationToken cancellation) =>
        RunAsync(
            sql,
            parameters =>
            {
                parameters.AddWithValue("$id", record.Id);
                parameters.AddWithValue("$fingerprint", record.Fingerprint);
                parameters.AddWithValue("$claim", record.Claim);
                parameters.AddWithValue("$state", (int)record.State);
                parameters.AddWithValue("$lease", record.LeaseUntil.UtcTicks);
                parameters.AddWithValue("$expires", record.ExpiresAt.UtcTicks);
                parameters.AddWithValue("$user", (object?)record.UserId ?? DBNull.Value);
                parameters.AddWithValue("$answer", (object?)record.Answer ?? DBNull.Value);
                parameters.AddWithValue("$version", VersionOf(record));
            },
            cancellation);

    private async Task<int> RunAsync(string sql, Action<SqliteParameterCollection> bind, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await using var command = _connection.CreateCommand();
            command.CommandText = sql;
            bind(command.Parameters);
            return await command.ExecuteNonQueryAsync(cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }
}
