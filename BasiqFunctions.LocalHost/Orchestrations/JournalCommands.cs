using Microsoft.Data.Sqlite;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>The journal's write statements, prepared once.</summary>
internal sealed class JournalCommands : IDisposable
{
    private readonly SqliteCommand _save;
    private readonly SqliteCommand _append;
    private readonly SqliteCommand _noteRun;
    private readonly SqliteCommand _saveTimer;
    private readonly SqliteCommand[] _forget;

    public JournalCommands(SqliteConnection connection)
    {
        _save = Prepare(connection, """
            INSERT OR REPLACE INTO instances (instance_id, name, status, created_at, updated_at, input, custom_status, output, failure, turns, crc)
            VALUES ($id, $name, $status, $created, $updated, $input, $custom, $output, $failure, $turns, $crc)
            """, "$id", "$name", "$status", "$created", "$updated", "$input", "$custom", "$output", "$failure", "$turns", "$crc");
        _append = Prepare(connection,
            "INSERT INTO turns (instance_id, turn, events, crc) VALUES ($id, $turn, $events, $crc)", "$id", "$turn", "$events", "$crc");
        _noteRun = Prepare(connection,
            "INSERT INTO activity_runs (instance_id, task_id, started_at, crc) VALUES ($id, $task, $at, $crc)", "$id", "$task", "$at", "$crc");
        _saveTimer = Prepare(connection,
            "INSERT OR REPLACE INTO timers (function, last, next) VALUES ($function, $last, $next)", "$function", "$last", "$next");
        _forget =
        [
            Prepare(connection, "DELETE FROM turns WHERE instance_id = $id", "$id"),
            Prepare(connection, "DELETE FROM activity_runs WHERE instance_id = $id", "$id"),
            Prepare(connection, "DELETE FROM instances WHERE instance_id = $id", "$id"),
        ];
    }

    private IEnumerable<SqliteCommand> All => [_save, _append, _noteRun, _saveTimer, .. _forget];

    public void Enlist(SqliteTransaction transaction)
    {
        foreach (var command in All)
            command.Transaction = transaction;
    }

    public void Save(InstanceRecord record, int turns, uint crc) => Run(
        _save, record.InstanceId, record.Name, (int)record.Status, record.CreatedAt.UtcTicks, record.UpdatedAt.UtcTicks,
        record.Input, record.CustomStatus, record.Output, record.Failure, turns, crc);

    public void Append(string instanceId, int turn, string events, uint crc) => Run(_append, instanceId, turn, events, crc);

    public void NoteRun(string instanceId, int taskId, long at, uint crc) => Run(_noteRun, instanceId, taskId, at, crc);

    public void SaveTimer(string function, long last, long next) => Run(_saveTimer, function, last, next);

    public void Forget(string instanceId)
    {
        foreach (var command in _forget)
            Run(command, instanceId);
    }

    public void Dispose()
    {
        foreach (var command in All)
            command.Dispose();
    }

    private static SqliteCommand Prepare(SqliteConnection connection, string sql, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in parameters)
            command.Parameters.AddWithValue(name, DBNull.Value);
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        command.ExecuteNonQuery();
    }
}
