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
            INSERT INTO instances (instance_id, name, status, created_at, updated_at, input, custom_status, output, failure)
            VALUES ($id, $name, $status, $created, $updated, $input, $custom, $output, $failure)
            ON CONFLICT (instance_id) DO UPDATE SET status = $status, updated_at = $updated,
                custom_status = $custom, output = $output, failure = $failure
            """, "$id", "$name", "$status", "$created", "$updated", "$input", "$custom", "$output", "$failure");
        _append = Prepare(connection,
            "INSERT INTO turns (instance_id, turn, events) VALUES ($id, $turn, $events)", "$id", "$turn", "$events");
        _noteRun = Prepare(connection,
            "INSERT INTO activity_runs (instance_id, task_id, started_at) VALUES ($id, $task, $at)", "$id", "$task", "$at");
        _saveTimer = Prepare(connection, """
            INSERT INTO timers (function, last, next) VALUES ($function, $last, $next)
            ON CONFLICT (function) DO UPDATE SET last = $last, next = $next
            """, "$function", "$last", "$next");
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

    public void Save(InstanceRecord record) => Run(
        _save, record.InstanceId, record.Name, (int)record.Status, record.CreatedAt.UtcTicks, record.UpdatedAt.UtcTicks,
        record.Input, record.CustomStatus, record.Output, record.Failure);

    public void Append(string instanceId, int turn, string events) => Run(_append, instanceId, turn, events);

    public void NoteRun(string instanceId, int taskId, DateTime at) => Run(_noteRun, instanceId, taskId, at.Ticks);

    public void SaveTimer(string function, DateTime last, DateTime next) =>
        Run(_saveTimer, function, last.Ticks, next.Ticks);

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
