using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using DurableTask.Core.History;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in the middle of a sync, and started again.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledHostTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private const int Accounts = 3;
    private const int TransactionsPerAccount = 10_000;
    private const int PagesPerActivity = 5;

    private HostBesideSandbox _scene = null!;
    private int _kills;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string>
        {
            ["AccountsPerUser"] = $"{Accounts}",
            ["TransactionsPerAccount"] = $"{TransactionsPerAccount}",
            ["JobDuration"] = "00:00:04",
            ["Latency"] = "00:00:00.01",
        },
        $"Sync:PagesPerActivity={PagesPerActivity}",
        "Sync:FirstPollDelay=00:00:00.2",
        "Sync:MaxPollDelay=00:00:00.5");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    /// <summary>On a slow machine a start may outlast a phase: then the kill comes in the next one.</summary>
    [Fact]
    public Task A_sync_killed_while_it_waits_for_the_bank_completes_and_repeats_nothing_that_was_recorded() => CompletesAsync(
        _ => true,
        s => s.Jobs.Any(j => j.Status is JobState.InProgress) || s.Status is not SyncState.WaitingForBank,
        s => s.Status is not SyncState.WaitingForBank);

    [Fact]
    public Task A_sync_killed_while_it_fetches_completes_and_repeats_nothing_that_was_recorded() => CompletesAsync(
        s => s.Transactions > 6_000 || s.Status is SyncState.Completed,
        s => s.Transactions > 20_000 || s.Status is SyncState.Completed,
        s => s.Status is SyncState.Completed);

    private async Task CompletesAsync(params Func<SyncAnswer, bool>[] phases)
    {
        string userId;
        var host = await _scene.StartHostAsync();
        try
        {
            (userId, var syncId) = await _scene.StartSyncAsync(host, "gavinBelson");
            foreach (var isIn in phases)
            {
                await HostBesideSandbox.WaitForSyncAsync(host, userId, syncId, isIn);
                host = await KillAsync(host);
            }

            var sync = await HostBesideSandbox.CompletedAsync(host, userId, syncId);
            Assert.Equal(new AccountProgress(Accounts, Accounts), sync.Accounts);
            Assert.Equal(Accounts * TransactionsPerAccount, sync.Transactions);
            await AssertCompleteAsync(host, userId);
        }
        finally
        {
            host.Dispose();
        }

        AssertNothingRecordedRanAgain();
        await AssertFewPagesTwiceAsync();
    }

    /// <summary>The journal itself: no activity was begun after its outcome had been written, and none more often than there were kills.</summary>
    private void AssertNothingRecordedRanAgain()
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_scene.StateFolder, "journal.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        HashSet<(string Instance, int Task)> scheduled = [];
        Dictionary<(string Instance, int Task), DateTime> ended = [];
        foreach (var (instance, happened) in Rows("SELECT instance_id, events FROM turns", r => (r.GetString(0), HistoryJson.Read(r.GetFieldValue<byte[]>(1)))))
        {
            foreach (var e in happened)
            {
                if (e is TaskScheduledEvent)
                    scheduled.Add((instance, e.EventId));
                else if (e is TaskCompletedEvent completed)
                    ended.Add((instance, completed.TaskScheduledId), e.Timestamp);
                else if (e is TaskFailedEvent failed)
                    ended.Add((instance, failed.TaskScheduledId), e.Timestamp);
            }
        }

        var runs = Rows(
            "SELECT instance_id, task_id, started_at FROM activity_runs",
            r => (Activity: (r.GetString(0), r.GetInt32(1)), StartedAt: new DateTime(r.GetInt64(2), DateTimeKind.Utc)));
        Assert.NotEmpty(ended);
        Assert.All(runs, run => Assert.False(ended.TryGetValue(run.Activity, out var at) && run.StartedAt > at));
        Assert.Equal(scheduled, runs.Select(run => run.Activity).ToHashSet());
        Assert.InRange(runs.GroupBy(run => run.Activity).Max(activity => activity.Count()), 1, 1 + _kills);

        List<T> Rows<T>(string sql, Func<SqliteDataReader, T> read)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            using var reader = command.ExecuteReader();
            List<T> rows = [];
            while (reader.Read())
                rows.Add(read(reader));
            return rows;
        }
    }

    /// <summary>Basiq's side of it: what was fetched twice is at most what was in flight at the kills.</summary>
    private async Task AssertFewPagesTwiceAsync()
    {
        var stats = await _scene.Basiq.GetFromJsonAsync<JsonElement>("_sandbox/stats");
        var pages = stats.GetProperty("pages").EnumerateObject().ToArray();
        Assert.Equal(Accounts, pages.Length);
        foreach (var account in pages)
        {
            var fetched = account.Value.EnumerateObject().Select(p => p.Value.GetInt64()).ToArray();
            Assert.Equal(TransactionsPerAccount / 500, fetched.Length);
            Assert.InRange(fetched.Sum() - fetched.Length, 0, _kills * PagesPerActivity);
        }
    }

    private static async Task AssertCompleteAsync(LocalHostProcess host, string userId)
    {
        var snapshot = await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        foreach (var account in snapshot.GetProperty("accounts").EnumerateArray())
        {
            HashSet<string> ids = [];
            string? cursor = null;
            do
            {
                var page = await host.Api.GetFromJsonAsync<JsonElement>(
                    $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions?limit=500"
                    + (cursor is null ? "" : $"&cursor={cursor}"));
                foreach (var transaction in page.GetProperty("transactions").EnumerateArray())
                    Assert.True(ids.Add(transaction.GetProperty("id").GetString()!));
                cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
            }
            while (cursor is not null);
            Assert.Equal(TransactionsPerAccount, ids.Count);
        }
    }

    private async Task<LocalHostProcess> KillAsync(LocalHostProcess host)
    {
        _scene.Kill(host);
        _kills++;
        return await _scene.StartHostAsync();
    }
}
