using System.Collections.Concurrent;
using System.Text;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>
/// Watches an app and keeps what others can read of it: log lines, metrics, spans, problems and the rows of LocalHost's files. Tests that run
/// at the same time are seen as well, so it belongs where none do.
/// </summary>
internal sealed class LeakWatch : IDisposable
{
    private readonly TelemetryCapture _telemetry = new(everything: true);
    private readonly ConcurrentQueue<string> _problems = [];

    /// <summary>Keeps an answer that is not a success: the body and all headers.</summary>
    public async Task KeepAsync(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
            _problems.Enqueue($"{(int)answer.StatusCode} {answer.Headers} {answer.Content.Headers} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>All that was kept, by channel. The app must have stopped: what it says last counts as well.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ChannelsAsync(LogCapture logs, TemporaryDirectory state) =>
        new Dictionary<string, string>
        {
            ["log"] = logs.Text,
            ["metric"] = _telemetry.Metrics,
            ["span"] = _telemetry.Spans,
            ["problem"] = string.Join('\n', _problems),
            ["journal"] = await ReadRowsAsync(Path.Combine(state.Path, "journal.db")),
            ["records"] = await ReadRowsAsync(Path.Combine(state.Path, "records.db")),
        };

    public void Dispose() => _telemetry.Dispose();

    private static async Task<string> ReadRowsAsync(string file)
    {
        // Made on first use.
        if (!File.Exists(file))
            return "";
        await using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        List<string> tables = [];
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table'";
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                tables.Add(reader.GetString(0));
        }

        var rows = new StringBuilder();
        foreach (var table in tables)
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The names come from the file itself.
            command.CommandText = $"SELECT * FROM \"{table}\"";
#pragma warning restore CA2100
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                var values = new object[reader.FieldCount];
                reader.GetValues(values);
                rows.Append(table).Append(' ').AppendJoin(' ', values.Select(v => v is byte[] bytes ? Encoding.Latin1.GetString(bytes) : v))
                    .Append('\n');
            }
        }

        return rows.ToString();
    }
}
