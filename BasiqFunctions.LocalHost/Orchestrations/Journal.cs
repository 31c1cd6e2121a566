using System.Runtime.CompilerServices;
using System.Threading.Channels;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using DurableTask.Core.History;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// The orchestrations' memory: an SQLite file with one row per orchestration and one per turn of its history.
/// </summary>
/// <remarks>
/// All writes go through one thread that puts whatever is waiting into one transaction, so that a thousand orchestrations
/// share a disk flush instead of queueing for one each. A write has happened when its task completes: the file is in WAL mode
/// with <c>synchronous=FULL</c>, so neither a killed process nor a power cut takes it back. Each row carries a checksum, which every
/// read checks, and an orchestration's row the number of its turns: what is acted on is what was written. Timers need none: whatever
/// their rows say, they run by their schedule at the latest, and at worst once too often.
/// </remarks>
internal sealed class Journal : IAsyncDisposable
{
    private const string Store = "journal";
    private const int MostWritesPerTransaction = 2_000;

    /// <summary>The file's format, as its <c>user_version</c>.</summary>
    private const long Format = 1;

    /// <summary>SQLITE_CONSTRAINT: a fault of the writer's, and none of the file's.</summary>
    private const int ConstraintViolated = 19;

    private readonly string _readConnectionString;
    private readonly SqliteConnection _writeConnection;
    private readonly Channel<PendingWrite> _writes = Channel.CreateUnbounded<PendingWrite>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly Task _writer;

    private Journal(string path)
    {
        var builder = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = SqliteFailure.PatienceWithLocks };
        _writeConnection = new SqliteConnection(builder.ToString() + ";Pooling=False");
        _readConnectionString = builder.ToString();
        try
        {
            _writeConnection.Open();
            if (Ask("PRAGMA quick_check(1)") is not "ok")
                throw Damaged();
            if (Ask("SELECT COUNT(*) FROM sqlite_master") is 0L && Ask("PRAGMA user_version") is 0L)
                Execute(Schema);
            else
                CheckAll(path);
            Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        }
        catch (Exception exception)
        {
            _writeConnection.Dispose();
            throw Translated(exception);
        }

        _writer = Task.Factory.StartNew(
            WriteLoop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static string Schema => $"""
        BEGIN;
        CREATE TABLE instances (
            instance_id TEXT PRIMARY KEY, name TEXT NOT NULL, status INTEGER NOT NULL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            input TEXT, custom_status TEXT, output TEXT, failure TEXT, turns INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE turns (
            instance_id TEXT NOT NULL, turn INTEGER NOT NULL, events TEXT NOT NULL, crc INTEGER NOT NULL,
            PRIMARY KEY (instance_id, turn)) WITHOUT ROWID;
        CREATE TABLE activity_runs (
            run INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, task_id INTEGER NOT NULL, started_at INTEGER NOT NULL,
            crc INTEGER NOT NULL);
        CREATE INDEX activity_runs_by_instance ON activity_runs (instance_id);
        CREATE TABLE timers (
            function TEXT PRIMARY KEY, last INTEGER NOT NULL, next INTEGER NOT NULL) WITHOUT ROWID;
        PRAGMA user_version = {Format};
        COMMIT;
        """;

    /// <summary>Opens the journal, making it and its folder if they are missing; the owner alone may read it.</summary>
    /// <exception cref="StoreUnavailableException">The file is not a whole journal, or cannot be written.</exception>
    /// <exception cref="LocalHostException">An earlier version wrote it.</exception>
    public static Journal Open(string path)
    {
        var fresh = !File.Exists(path);
        if (fresh)
        {
            OwnerOnly.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            OwnerOnly.CreateFile(path).Dispose();
        }

        return new Journal(path);
    }

    /// <summary>Writes a turn of an orchestration: its row as it now stands and the turn's events.</summary>
    /// <param name="record">The orchestration's row.</param>
    /// <param name="turn">The turn's number; 0 starts the history over.</param>
    /// <param name="events">The events, in order, the first of them <see cref="OrchestratorStartedEvent"/>.</param>
    public Task WriteTurnAsync(InstanceRecord record, int turn, IReadOnlyList<HistoryEvent> events)
    {
        var json = HistoryJson.Write(events);
        var crc = JournalChecksum.OfTurn(record.InstanceId, turn, json);
        var crcOfRecord = JournalChecksum.OfInstance(record, turn + 1);
        return WriteAsync(commands =>
        {
            if (turn == 0)
                commands.Forget(record.InstanceId);
            commands.Save(record, turn + 1, crcOfRecord);
            commands.Append(record.InstanceId, turn, json, crc);
        });
    }

    /// <summary>
    /// Notes that an activity is about to run. It only informs, so nobody waits for it; it is on disk before the activity's result.
    /// </summary>
    public Task NoteActivityRunAsync(string instanceId, int taskId, DateTime at) =>
        WriteAsync(commands => commands.NoteRun(instanceId, taskId, at.Ticks, JournalChecksum.OfRun(instanceId, taskId, at.Ticks)));

    /// <summary>Removes orchestrations and their histories.</summary>
    public Task ForgetAsync(IReadOnlyList<string> instanceIds) =>
        WriteAsync(commands =>
        {
            foreach (var id in instanceIds)
                commands.Forget(id);
        });

    public Task SaveTimerAsync(string function, DateTime last, DateTime next) =>
        WriteAsync(commands => commands.SaveTimer(function, last.Ticks, next.Ticks));

    public async Task<(DateTime Last, DateTime Next)?> FindTimerAsync(string function, CancellationToken cancellation)
    {
        var found = await ReadAsync(
            $"SELECT {TimerColumns} FROM timers WHERE function = $function",
            [("$function", function)],
            ReadTimer,
            cancellation);
        return found is [var times] ? times : null;
    }

    public async Task<InstanceRecord?> FindAsync(string instanceId, CancellationToken cancellation) =>
        (await ReadAsync(
            $"SELECT {InstanceColumns} FROM instances WHERE instance_id = $id", [("$id", instanceId)], ReadInstance, cancellation))
        .SingleOrDefault();

    /// <summary>Lists orchestrations in the order of their ids, a page at a time.</summary>
    public async Task<IReadOnlyList<InstanceRecord>> ListAsync(
        string? prefix, DateTimeOffset? createdFrom, DateTimeOffset? createdTo,
        IReadOnlyCollection<OrchestrationRuntimeStatus>? statuses, string? after, int limit, CancellationToken cancellation)
    {
        var statusList = statuses is null ? "" : $"AND status IN ({string.Join(',', statuses.Select(s => (int)s))})";
        return await ReadAsync(
            $"""
            SELECT {InstanceColumns} FROM instances
            WHERE instance_id > $after AND instance_id >= $prefix AND instance_id < $prefixEnd
              AND created_at >= $from AND created_at <= $to {statusList}
            ORDER BY instance_id LIMIT $limit
            """,
            [
                ("$after", after ?? ""), ("$prefix", prefix ?? ""), ("$prefixEnd", (prefix ?? "") + '\uFFFF'),
                ("$from", createdFrom?.UtcTicks ?? 0), ("$to", createdTo?.UtcTicks ?? long.MaxValue), ("$limit", limit),
            ],
            ReadInstance,
            cancellation);
    }

    /// <summary>The orchestrations of a name that were created last, newest first.</summary>
    public async Task<IReadOnlyList<InstanceRecord>> ListNewestAsync(string name, int limit, CancellationToken cancellation) =>
        await ReadAsync(
            $"SELECT {InstanceColumns} FROM instances WHERE instance_id IN "
            + "(SELECT instance_id FROM instances WHERE name = $name ORDER BY created_at DESC LIMIT $limit) ORDER BY created_at DESC",
            [("$name", name), ("$limit", limit)],
            ReadInstance,
            cancellation);

    /// <summary>How many turns an orchestration's history has.</summary>
    public async Task<int> CountTurnsAsync(string instanceId, CancellationToken cancellation) =>
        (await ReadAsync(
            "SELECT COUNT(*) FROM turns WHERE instance_id = $id", [("$id", instanceId)], reader => reader.GetInt32(0), cancellation))[0];

    /// <summary>The event that an orchestration's history begins with; null when it has none.</summary>
    public async Task<ExecutionStartedEvent?> FindStartAsync(string instanceId, CancellationToken cancellation)
    {
        await foreach (var turn in ReadHistoryAsync(instanceId, cancellation))
            return turn.OfType<ExecutionStartedEvent>().First();
        return null;
    }

    /// <summary>Reads an orchestration's history, turn by turn.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be read, or is not what was written; some turns may have been given by then.</exception>
    public async IAsyncEnumerable<IReadOnlyList<HistoryEvent>> ReadHistoryAsync(
        string instanceId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (read, written) = (0, 0);
        var turns = ReadEachAsync(
            "SELECT t.instance_id, t.turn, t.events, t.crc, i.turns FROM instances i LEFT JOIN turns t ON t.instance_id = i.instance_id "
            + "WHERE i.instance_id = $id ORDER BY t.turn",
            [("$id", instanceId)],
            reader => (Turn: ReadTurn(reader), Written: reader.GetInt32(4)),
            cancellation);
        await foreach (var ((number, events), total) in turns)
        {
            if (number != read)
                throw Damaged();
            (read, written) = (read + 1, total);
            yield return HistoryJson.Read(events);
        }

        if (read != written)
            throw Damaged();
    }

    /// <summary>Waits for what is still being written, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        await _writer;
        await _writeConnection.DisposeAsync();
        using var pooled = new SqliteConnection(_readConnectionString);
        SqliteConnection.ClearPool(pooled);
    }

    private const string InstanceColumns =
        "instance_id, name, status, created_at, updated_at, input, custom_status, output, failure, turns, crc";

    private const string TimerColumns = "last, next";

    private static InstanceRecord ReadInstance(SqliteDataReader reader)
    {
        var record = new InstanceRecord(
            reader.GetString(0),
            reader.GetString(1),
            (OrchestrationRuntimeStatus)reader.GetInt32(2),
            Utc(reader.GetInt64(3)),
            Utc(reader.GetInt64(4)),
            Text(reader, 5),
            Text(reader, 6),
            Text(reader, 7),
            Text(reader, 8));
        Check(reader, 10, JournalChecksum.OfInstance(record, reader.GetInt32(9)));
        return record;
    }

    private static (int Number, byte[] Events) ReadTurn(SqliteDataReader reader)
    {
        var (number, events) = (reader.GetInt32(1), reader.GetFieldValue<byte[]>(2));
        Check(reader, 3, JournalChecksum.OfTurn(reader.GetString(0), number, events));
        return (number, events);
    }

    private static (DateTime Last, DateTime Next) ReadTimer(SqliteDataReader reader) => (Utc(reader.GetInt64(0)), Utc(reader.GetInt64(1)));

    private static void CheckRun(SqliteDataReader reader) =>
        Check(reader, 3, JournalChecksum.OfRun(reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2)));

    private static void Check(SqliteDataReader reader, int column, uint crc)
    {
        if (reader.GetInt64(column) != crc)
            throw Damaged();
    }

    private static string? Text(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTime Utc(long ticks) => new(ticks, DateTimeKind.Utc);

    private static StoreUnavailableException Damaged(Exception? innerException = null) =>
        new(Store, StoreUnavailableException.Damaged, innerException);

    private static StoreUnavailableException Unavailable(SqliteException exception) => new(Store, SqliteFailure.CodeOf(exception), exception);

    private static Exception Translated(Exception exception) => exception switch
    {
        SqliteException sqlite => Unavailable(sqlite),

        // A column of another type than was ever written to it.
        InvalidCastException or ArgumentOutOfRangeException or OverflowException => Damaged(exception),
        InvalidOperationException and not ObjectDisposedException => Damaged(exception),
        _ => exception,
    };

    /// <summary>Reads every row of a file that was there: one that is lost or damaged may be one that nobody would ask for.</summary>
    private void CheckAll(string path)
    {
        // A damaged name of a column does not pass for an earlier version, which had no format.
        if (Ask("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'events'") is not 0L
            || (Ask("PRAGMA user_version") is 0L && Ask("SELECT COUNT(*) FROM pragma_table_info('turns') WHERE name = 'crc'") is 0L))
        {
            throw new LocalHostException(
                $"The journal {path} is of an earlier version, whose histories this one cannot go on with. Delete it (with {path}-wal and "
                + $"{path}-shm): it forgets what was under way and what became of earlier syncs. Users, snapshots and secrets stay.");
        }

        if (Ask("PRAGMA user_version") is not Format)
            throw Damaged();
        CheckEach($"SELECT {InstanceColumns} FROM instances", reader => ReadInstance(reader));
        CheckEach("SELECT instance_id, turn, events, crc FROM turns", reader => ReadTurn(reader));
        CheckEach($"SELECT {TimerColumns} FROM timers", reader => ReadTimer(reader));
        CheckEach("SELECT instance_id, task_id, started_at, crc FROM activity_runs", CheckRun);
        if (Ask("SELECT COUNT(*) FROM instances i WHERE turns <> (SELECT COUNT(*) FROM turns t WHERE t.instance_id = i.instance_id)") is not 0L
            || Ask("SELECT (SELECT COALESCE(SUM(turns), 0) FROM instances) - (SELECT COUNT(*) FROM turns)") is not 0L)
        {
            throw Damaged();
        }
    }

    private void CheckEach(string sql, Action<SqliteDataReader> check)
    {
        using var command = Command(sql);
        using var reader = command.ExecuteReader();
        while (reader.Read())
            check(reader);
    }

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private object? Ask(string sql)
    {
        using var command = Command(sql);
        return command.ExecuteScalar();
    }

    private SqliteCommand Command(string sql)
    {
        var command = _writeConnection.CreateCommand();
#pragma warning disable CA2100 // The text is one of the constants of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private async Task<List<T>> ReadAsync<T>(
        string sql, (string Name, object Value)[] parameters, Func<SqliteDataReader, T> read, CancellationToken cancellation)
    {
        List<T> rows = [];
        await foreach (var row in ReadEachAsync(sql, parameters, read, cancellation))
            rows.Add(row);
        return rows;
    }

    private async IAsyncEnumerable<T> ReadEachAsync<T>(
        string sql, (string Name, object Value)[] parameters, Func<SqliteDataReader, T> read,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var connection = new SqliteConnection(_readConnectionString);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is one of the constants of this class, but for numbers.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        await using var reader = await TryAsync(async () =>
        {
            await connection.OpenAsync(cancellation);
            return await command.ExecuteReaderAsync(cancellation);
        });
        while (await TryAsync(async () => await reader.ReadAsync(cancellation) ? new Row<T>(read(reader)) : null) is { } row)
            yield return row.Value;
    }

    private static async Task<T> TryAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception exception) when (Translated(exception) is var translated && translated != exception)
        {
            throw translated;
        }
    }

    private Task WriteAsync(Action<JournalCommands> write)
    {
        var pending = new PendingWrite(write);
        return _writes.Writer.TryWrite(pending)
            ? pending.Done.Task
            : Task.FromException(new ObjectDisposedException(nameof(Journal)));
    }

    private void WriteLoop()
    {
        using var commands = new JournalCommands(_writeConnection);
        var batch = new List<PendingWrite>(MostWritesPerTransaction);
        while (true)
        {
            try
            {
                if (batch.Count == 0 && !_writes.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                    return;
                while (batch.Count < MostWritesPerTransaction && _writes.Reader.TryRead(out var pending))
                    batch.Add(pending);
                Write(commands, batch);
                batch.Clear();
            }
            catch (OutOfMemoryException)
            {
                // Without this thread everybody waits for ever: what is left of the batch comes next.
                batch.RemoveAll(static pending => pending.Done.Task.IsCompleted);
                Thread.Sleep(Shortage.Pause);
            }
        }
    }

    /// <summary>
    /// One bad write must not take the others of its batch along: they are tried again, each alone. Another program's lock is waited for
    /// once, by all who are there when the wait is over.
    /// </summary>
    private void Write(JournalCommands commands, List<PendingWrite> batch)
    {
        Exception? failure = null;
        if (!batch.Exists(static pending => pending.IsWritten))
            TryCommit(commands, batch, out failure);
        foreach (var pending in batch)
        {
            if (!pending.IsWritten && !IsLocked(failure))
                TryCommit(commands, [pending], out failure);
            if (pending.IsWritten)
                pending.Done.TrySetResult();
            else
                pending.Done.TrySetException(failure is SqliteException { SqliteErrorCode: not ConstraintViolated } sqlite ? Unavailable(sqlite) : failure!);
        }

        while (IsLocked(failure) && _writes.Reader.TryRead(out var late))
            late.Done.TrySetException(Unavailable((SqliteException)failure!));
    }

    private static bool IsLocked(Exception? failure) =>
        failure is SqliteException sqlite && SqliteFailure.CodeOf(sqlite) is StoreUnavailableException.Locked;

    private bool TryCommit(JournalCommands commands, List<PendingWrite> batch, out Exception? failure)
    {
        try
        {
            using var transaction = _writeConnection.BeginTransaction();
            commands.Enlist(transaction);
            foreach (var pending in batch)
                pending.Write(commands);
            transaction.Commit();
        }
#pragma warning disable CA1031 // Whatever a write throws is its caller's to hear: the writer has to outlive it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
            return false;
        }

        foreach (var pending in batch)
            pending.IsWritten = true;
        failure = null;
        return true;
    }

    private sealed class PendingWrite(Action<JournalCommands> write)
    {
        public Action<JournalCommands> Write { get; } = write;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether it is on disk, and only its caller may still have to hear of it.</summary>
        public bool IsWritten { get; set; }
    }

    private sealed record Row<T>(T Value);
}
