using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Web;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault.LocalVault;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using DurableTask.Core.History;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>
/// Files of LocalHost that are damaged, missing or not to be written: it does not start and says why, or it answers 503 and says which,
/// goes on with what does not need them, and comes back by itself. It overwrites nothing and gives nothing wrong out.
/// </summary>
[Trait("Category", "Journeys")]
public sealed class DamagedStateTests : IDisposable
{
    /// <summary>The size of SQLite's pages.</summary>
    private const int Page = 4096;

    private readonly TemporaryDirectory _state = new();

    private string StateFolder => $"LocalHost:StateDirectory={_state.Path}";

    public void Dispose() => _state.Dispose();

    [Theory]
    [InlineData("keyvault.json", "garbage")]
    [InlineData("keyvault.json", "empty")]
    [InlineData("keyvault.json", "half")]
    [InlineData("keyvault.json", "one bit")]
    [InlineData("keyvault.json", """{"a-secret":[{"version":"1","value":null,"attributes":{}}]}""")]
    [InlineData("keyvault.json", """{"a-secret":[]}""")]
    [InlineData("keyvault.json", """{"a-secret":null}""")]
    [InlineData("keyvault.json", """[]""")]
    [InlineData("records.db", "garbage")]
    [InlineData("records.db", "half")]
    [InlineData("records.db", "a page")]
    [InlineData("journal.db", "garbage")]
    [InlineData("journal.db", "half")]
    [InlineData("journal.db", "a page")]
    [InlineData("journal.db", "letters")]
    public async Task A_damaged_file_stops_the_start_is_named_with_what_to_do_and_stays_as_it_is(string name, string damage)
    {
        var file = Path.Combine(_state.Path, name);
        await WriteSoundAsync(name);
        var sound = await File.ReadAllBytesAsync(file);
        var damaged = damage switch
        {
            "garbage" => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("what is this? ", 1000))),
            "empty" => [],
            "half" => sound[..(sound.Length / 2)],
            "a page" => [.. sound[..(5 * Page)], .. Enumerable.Repeat((byte)'x', Page), .. sound[(6 * Page)..]],
            "letters" => [.. sound.Select((letter, i) => letter == 'x' && sound[i - 1] == 'x' ? (byte)'y' : letter)],
            "one bit" => [.. sound[..^20], (byte)(sound[^20] ^ 1), .. sound[^19..]],
            _ => Encoding.UTF8.GetBytes(damage),
        };
        await File.WriteAllBytesAsync(file, damaged);

        var refusal = await LocalHostProcess.RefusalAsync(StateFolder);

        AssertOneLine(refusal, $"'{file}' is damaged", "move it away");
        Assert.Equal(damaged, await File.ReadAllBytesAsync(file));
    }

    [Theory]
    [InlineData("snapshots")]
    [InlineData("")]
    public async Task A_file_in_a_folder_s_place_stops_the_start_and_is_named(string name)
    {
        var folder = Path.Combine(_state.Path, "inner", name).TrimEnd(Path.DirectorySeparatorChar);
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        await File.WriteAllTextAsync(folder, "no folder");

        var refusal = await LocalHostProcess.RefusalAsync($"LocalHost:StateDirectory={Path.Combine(_state.Path, "inner")}");

        AssertOneLine(refusal, $"'{folder}' cannot be used", "Move away what is there");
        Assert.Equal("no folder", await File.ReadAllTextAsync(folder));
    }

    [SkippableFact]
    public async Task A_read_only_disk_stops_the_start_and_is_called_that()
    {
        using var disk = await Mount.TmpfsAsync("ro,size=1m");

        AssertOneLine(
            await LocalHostProcess.RefusalAsync($"LocalHost:StateDirectory={disk.Path}"), $"'{disk.Path}' is on a disk that is read-only", "--LocalHost:StateDirectory");
    }

    [SkippableFact]
    public async Task A_folder_that_the_user_may_not_write_in_stops_the_start_and_is_called_read_only()
    {
        if (OperatingSystem.IsWindows())
            throw new SkipException("Windows has rights of another kind.");
        Skip.If(Environment.IsPrivilegedProcess, "Root may write anywhere.");
        File.SetUnixFileMode(_state.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            AssertOneLine(await LocalHostProcess.RefusalAsync(StateFolder), $"'{_state.Path}' is read-only for this user", "--LocalHost:StateDirectory");
        }
        finally
        {
            File.SetUnixFileMode(_state.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task A_snapshots_folder_that_goes_away_is_a_503_that_names_it_and_never_an_empty_answer()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.1" }, "Sync:FirstPollDelay=00:00:00.1");
        using var host = await scene.StartHostAsync();
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var accounts = await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        var folder = Path.Combine(scene.StateFolder, "snapshots");
        Directory.Move(folder, folder + ".away");
        await File.WriteAllTextAsync(folder, "no folder");

        for (var i = 0; i < 20; i++)
        {
            using var refused = await host.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
            var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
            Assert.Contains("'snapshots' (out-of-reach)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await HealthSaysAsync(host, "snapshots", "unhealthy", "out-of-reach");
        Assert.Equal("no folder", await File.ReadAllTextAsync(folder));

        File.Delete(folder);
        Directory.Move(folder + ".away", folder);
        Assert.Equal(accounts, await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)));
        await HealthSaysAsync(host, "snapshots", "healthy", null);
        await host.StopAsync();
        Assert.Single(host.Output.Split('\n'), line => line.Contains("answers 503", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Records_that_are_damaged_while_the_host_runs_are_a_503_that_names_them_or_right()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(new Dictionary<string, string>());
        using var host = await scene.StartHostAsync();
        using var first = await CreateAsync(host, "a-key");
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        var user = await first.Content.ReadAsStringAsync();

        foreach (var name in (string[])["records.db-wal", "records.db"])
        {
            await using var file = new FileStream(Path.Combine(scene.StateFolder, name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            var garbage = new byte[file.Length];
            Array.Fill(garbage, (byte)'x');
            await file.WriteAsync(garbage);
        }

        for (var i = 0; i < 20; i++)
        {
            using var again = await CreateAsync(host, "a-key");
            if (again.StatusCode is HttpStatusCode.Created)
                Assert.Equal(user, await again.Content.ReadAsStringAsync());
            else
                await AppUnderTest.AssertProblemAsync(again, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
        }

        await host.StopAsync();
        Assert.DoesNotContain("answers 500", host.Output, StringComparison.Ordinal);
        Assert.InRange(host.Output.Split('\n').Count(line => line.Contains("answers 503", StringComparison.Ordinal)), 0, 2);
    }

    [Fact]
    public async Task A_journal_that_is_damaged_while_the_host_runs_is_a_503_that_names_it_or_right()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.1" }, "Sync:FirstPollDelay=00:00:00.1");
        using var host = await scene.StartHostAsync();
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var (_, wayBack) = await scene.ConsentAsync(host, "gavinBelson");
        var sync = await host.Api.GetStringAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
        var accounts = await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        foreach (var name in (string[])["journal.db-wal", "journal.db"])
        {
            await using var file = new FileStream(Path.Combine(scene.StateFolder, name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            var garbage = new byte[file.Length];
            Array.Fill(garbage, (byte)'x');
            await file.WriteAsync(garbage);
        }

        for (var i = 0; i < 20; i++)
        {
            using var again = await host.Api.GetAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
            if (again.StatusCode is HttpStatusCode.OK)
                Assert.Equal(sync, await again.Content.ReadAsStringAsync());
            else
                await AssertJournalAsync(again);
        }

        // What is written goes behind the damage, and may be there.
        using var back = await host.Api.GetAsync(wayBack);
        if (back.StatusCode is not HttpStatusCode.Accepted)
            await AssertJournalAsync(back);
        Assert.Equal(accounts, await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)));
        await host.StopAsync();
        Assert.DoesNotContain("answers 500", host.Output, StringComparison.Ordinal);

        static async Task AssertJournalAsync(HttpResponseMessage answer)
        {
            var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
            Assert.Contains("'journal' (", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task On_a_full_disk_syncs_wait_and_none_is_started_until_there_is_room()
    {
        using var disk = await Mount.TmpfsAsync("size=64m");
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:04", ["Webhooks"] = "false" },
            $"LocalHost:StateDirectory={disk.Path}", "Sync:FirstPollDelay=00:00:00.5", "Sync:PollDelayWithNews=00:00:00.5");
        using var host = await scene.StartHostAsync();
        using var subscribed = await host.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = "https://app.example/api/webhooks/basiq" });
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        List<(string UserId, Uri WayBack)> others = [];
        for (var i = 0; i < 2; i++)
            others.Add(await scene.ConsentAsync(host, "gavinBelson"));
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        var sync = new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative);
        var filler = Path.Combine(disk.Path, "filler");
        await FillAsync(filler);
        await AppUnderTest.WaitForAsync(() => Task.FromResult(JournalLines()), lines => lines > 0);

        for (var i = 0; i < 2; i++)
        {
            foreach (var (other, wayBack) in others)
            {
                await AssertRefusedAsync("'journal' (disk-full)", () => host.Api.GetAsync(wayBack));
                var jobId = HttpUtility.ParseQueryString(wayBack.OriginalString.Split('?')[1])["jobIds"]!;
                await AssertRefusedAsync("'journal' (disk-full)", () => host.Api.PostAsJsonAsync($"users/{other}/syncs", new { jobIds = new[] { jobId } }));
            }

            await AssertRefusedAsync("'journal' (disk-full)", () => host.Api.DeleteAsync(sync));
            await AssertRefusedAsync("", () => scene.SendWebhookAsync(host, $"message-{i}", "0123456789"));
            var running = await host.Api.GetFromJsonAsync<SyncAnswer>(sync);
            Assert.True(running!.Status is SyncState.WaitingForBank or SyncState.Fetching, running.Status.ToString());
        }

        Assert.Equal(1, JournalLines());

        File.Delete(filler);
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        foreach (var (other, wayBack) in others)
        {
            using var back = await host.Api.GetAsync(wayBack);
            Assert.Equal(HttpStatusCode.Accepted, back.StatusCode);
            await HostBesideSandbox.CompletedAsync(host, other, (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!);
        }

        using var taken = await scene.SendWebhookAsync(host, "message-0", "0123456789");
        Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);

        int JournalLines() => host.Output.Split('\n').Count(line => line.Contains("Cannot use the journal: disk-full", StringComparison.Ordinal));

        async Task AssertRefusedAsync(string store, Func<Task<HttpResponseMessage>> ask)
        {
            var asked = Stopwatch.StartNew();
            using var refused = await ask();
            var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
            Assert.Contains(store, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.True(asked.Elapsed < TimeSpan.FromSeconds(20), $"It took {asked.Elapsed}.");
        }
    }

    [SkippableFact]
    public async Task On_a_full_disk_what_must_write_is_refused_soon_reads_go_on_and_all_comes_back_with_room()
    {
        using var disk = await Mount.TmpfsAsync("size=64m");
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.1" }, $"LocalHost:StateDirectory={disk.Path}", "Sync:FirstPollDelay=00:00:00.1");
        using var host = await scene.StartHostAsync();
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var accounts = await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        var filler = Path.Combine(disk.Path, "filler");
        await FillAsync(filler);

        // The first key of all has the key made that seals the answers.
        await AssertRefusedAsync("key-vault");
        File.Delete(filler);
        using (var sealing = await CreateAsync(host, "a-key"))
            Assert.Equal(HttpStatusCode.Created, sealing.StatusCode);
        await FillAsync(filler);
        for (var i = 0; i < 5; i++)
            await AssertRefusedAsync("records");
        Assert.Equal(accounts, await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)));
        await HealthSaysAsync(host, "records", "unhealthy", "disk-full");

        File.Delete(filler);
        using var created = await CreateAsync(host, "another-key");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var (again, secondSync) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, again, secondSync);
        await HealthSaysAsync(host, "records", "healthy", null);

        async Task AssertRefusedAsync(string store)
        {
            var asked = Stopwatch.StartNew();
            using var refused = await CreateAsync(host, "another-key");
            var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
            Assert.Contains($"'{store}' (disk-full)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.True(asked.Elapsed < TimeSpan.FromSeconds(20), $"It took {asked.Elapsed}.");
        }
    }

    [Fact]
    public async Task While_another_program_locks_the_databases_what_must_write_is_refused_soon_reads_go_on_and_all_comes_back()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:01" }, "Sync:FirstPollDelay=00:00:00.1");
        using var host = await scene.StartHostAsync();
        using (var sealing = await CreateAsync(host, "a-key"))
            Assert.Equal(HttpStatusCode.Created, sealing.StatusCode);
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var accounts = await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        var sync = await host.Api.GetStringAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
        var (other, wayBack) = await scene.ConsentAsync(host, "gavinBelson");
        var underWay = await scene.StartSyncAsync(host, "gavinBelson");

        using (Locked("records.db"))
        {
            await AssertRefusedAsync("records", 12, i => CreateAsync(host, $"another-key-{i}"));
            using var repeated = await CreateAsync(host, "a-key");
            Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
            await HealthSaysAsync(host, "records", "unhealthy", "locked");
        }

        using (Locked("journal.db"))
        {
            await AssertRefusedAsync("journal", 12, _ => host.Api.GetAsync(wayBack));
            Assert.Equal(sync, await host.Api.GetStringAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative)));
            Assert.Equal(accounts, await host.Api.GetStringAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)));
        }

        using (var created = await CreateAsync(host, "another-key-0"))
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using (var back = await host.Api.GetAsync(wayBack))
        {
            Assert.Equal(HttpStatusCode.Accepted, back.StatusCode);
            await HostBesideSandbox.CompletedAsync(host, other, (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!);
        }

        await HostBesideSandbox.CompletedAsync(host, underWay.UserId, underWay.SyncId);
        await HealthSaysAsync(host, "records", "healthy", null);

        IDisposable Locked(string name)
        {
            var program = new SqliteConnection($"Data Source={Path.Combine(scene.StateFolder, name)};Pooling=False");
            program.Open();
            using var command = program.CreateCommand();
            command.CommandText = "BEGIN EXCLUSIVE";
            command.ExecuteNonQuery();
            return program;
        }

        Task AssertRefusedAsync(string store, int times, Func<int, Task<HttpResponseMessage>> ask) =>
            Task.WhenAll(Enumerable.Range(0, times).Select(async i =>
            {
                var asked = Stopwatch.StartNew();
                using var refused = await ask(i);
                var took = asked.Elapsed;
                var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.ServiceUnavailable, "dependency-unavailable");
                Assert.Contains($"'{store}' (locked)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
                Assert.True(took < TimeSpan.FromSeconds(20), $"It took {took}.");
            }));
    }

    [Fact]
    public async Task A_database_that_another_program_has_locked_stops_the_start_and_is_called_that()
    {
        var file = Path.Combine(_state.Path, "journal.db");
        await using (var program = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            await program.OpenAsync();
            await using var command = program.CreateCommand();
            command.CommandText = "BEGIN EXCLUSIVE; CREATE TABLE mine (a)";
            await command.ExecuteNonQueryAsync();

            AssertOneLine(await LocalHostProcess.RefusalAsync(StateFolder, "Sandbox:Url=http://127.0.0.1:0"), $"'{file}' is locked by another program");
        }
    }

    private static async Task FillAsync(string file)
    {
        await using var filler = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        foreach (var size in (int[])[1 << 20, 1 << 12, 1])
        {
            try
            {
                var block = new byte[size];
                while (true)
                    await filler.WriteAsync(block);
            }
            catch (IOException)
            {
                // Full, but for what is smaller.
            }
        }
    }

    private static async Task<HttpResponseMessage> CreateAsync(LocalHostProcess host, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("users", UriKind.Relative))
        {
            Content = JsonContent.Create(new { email = "gavin@hooli.com" }),
        };
        request.Headers.Add("Idempotency-Key", key);
        return await host.Api.SendAsync(request);
    }

    private static async Task HealthSaysAsync(LocalHostProcess host, string name, string status, string? detail) =>
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                using var answer = await host.Api.GetAsync(new Uri("health", UriKind.Relative));
                var line = (await AppUnderTest.ReadAsync(answer)).GetProperty("checks").EnumerateArray().Single(l => l.GetProperty("name").GetString() == name);
                return (Line: line.ToString(), Status: (int)answer.StatusCode);
            },
            seen =>
            {
                var line = JsonElement.Parse(seen.Line);
                return line.GetProperty("status").GetString() == status
                    && (detail is null || line.GetProperty("detail").GetString() == detail)
                    && (seen.Status == 503) == (status == "unhealthy");
            });

    private static void AssertOneLine(string refusal, params string[] parts)
    {
        Assert.All(parts, part => Assert.Contains(part, refusal, StringComparison.Ordinal));
        Assert.Single(refusal.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private async Task WriteSoundAsync(string name)
    {
        var file = Path.Combine(_state.Path, name);
        if (name == "keyvault.json")
        {
            var vault = new LocalKeyVault(file, TimeProvider.System);
            for (var i = 0; i < 5; i++)
                vault.Set("a-secret", $"value {i}", null, new SecretAttributes(), null);
            return;
        }

        if (name == "journal.db")
        {
            await using var journal = Journal.Open(file);
            for (var i = 0; i < 50; i++)
            {
                var record = new InstanceRecord(
                    $"instance-{i}", "Run", OrchestrationRuntimeStatus.Completed, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, new string('x', 3000));
                await journal.WriteTurnAsync(record, 0, [new OrchestratorStartedEvent(-1)]);
            }

            return;
        }

        using var tables = SqliteRecordTables.Open(file);
        var table = ((IRecordTables)tables).Open("BasiqReceipts");
        for (var i = 0; i < 50; i++)
            await table.TryAddAsync(new TableRecord("partition", $"row-{i}", new byte[10_000]), default);
    }
}
