using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Platform.Vault.LocalVault;
using BasiqFunctions.Tests.Hosting;
using DurableTask.Core.History;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>
/// Bits of LocalHost's files change, one at a time: what is given out is what had been stored, or an error. As many as <c>BIT_FLIPS</c>
/// says, 100 of each kind of file without it; <c>BIT_FLIPS_SEED</c> repeats a run. Thousands take longer than a test may, which is lifted by
/// <c>-p:RunSettingsFilePath=</c>.
/// </summary>
[Trait("Category", "Journeys")]
public sealed class BitFlipTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly int _flips = Number("BIT_FLIPS") ?? 100;
    private readonly int _seed = Number("BIT_FLIPS_SEED") ?? Random.Shared.Next();
    private readonly Random _random;

    public BitFlipTests() => _random = new Random(_seed);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_changed_bit_of_a_snapshot_is_served()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.1", ["AccountsPerUser"] = "3", ["TransactionsPerAccount"] = "700" },
            "Sync:FirstPollDelay=00:00:00.1", "Sync:PagesPerActivity=1");
        using var host = await scene.StartHostAsync();
        var (userId, syncId) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var sound = await ReadAsync(host, userId);
        Assert.DoesNotContain(sound.Values, answer => answer.Status != HttpStatusCode.OK);
        var files = Directory.GetFiles(Path.Combine(scene.StateFolder, "snapshots"), "*", SearchOption.AllDirectories)
            .Where(file => new FileInfo(file).Length > 0).ToArray();

        var noticed = 0;
        for (var i = 0; i < _flips; i++)
        {
            // The small files hold the most per byte: each file is as likely as the others.
            var flip = await FlipAsync(files[_random.Next(files.Length)]);
            var read = await ReadAsync(host, userId, [.. sound.Keys]);
            foreach (var (path, answer) in read)
            {
                var isSound = answer == sound[path];
                var isRefused = answer.Status is HttpStatusCode.InternalServerError
                    && JsonElement.Parse(answer.Body).GetProperty("code").GetString() == "snapshot-damaged";
                Assert.True(isSound || isRefused, $"Seed {_seed}, {flip}: {path} answered {answer.Status}, {answer.Body}");
                noticed += isRefused ? 1 : 0;
            }

            await flip.UndoAsync();
        }

        Assert.True(noticed >= _flips / 4, $"Only {noticed} of {_flips} flips were noticed.");
        Assert.Equal(sound, await ReadAsync(host, userId));
    }

    [Fact]
    public async Task No_changed_bit_of_a_record_is_read()
    {
        var file = Path.Combine(_folder.Path, "records.db");
        var sound = new Dictionary<(string Partition, string Row), byte[]>();
        for (var i = 0; i < 200; i++)
        {
            var content = new byte[_random.Next(1, 500)];
            _random.NextBytes(content);
            sound[($"partition-{i % 5}", $"row-{i}")] = content;
        }

        await OpenAsync(file, async table =>
        {
            foreach (var ((partition, row), content) in sound)
                await table.TryAddAsync(new TableRecord(partition, row, content) { ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(row.Length) }, default);
        });
        Assert.Equal(["records.db"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));

        var noticed = 0;
        for (var i = 0; i < _flips; i++)
        {
            var flip = await FlipAsync(file);
            var before = noticed;
            try
            {
                await OpenAsync(file, async table =>
                {
                    foreach (var ((partition, row), content) in sound)
                        noticed += await NoticedAsync(async () => Check(await table.FindAsync(partition, row, default), content, flip));
                    for (var partition = 0; partition < 5; partition++)
                    {
                        noticed += await NoticedAsync(async () =>
                        {
                            foreach (var record in await table.ListAsync($"partition-{partition}", 1000, null, default))
                                Check(record, sound.GetValueOrDefault((record.Partition, record.Row)), flip);
                        });
                    }
                });
            }
            catch (StoreUnavailableException)
            {
                // It does not even open.
                noticed++;
            }

            noticed = Math.Min(noticed, before + 1);
            await flip.UndoAsync();
            foreach (var left in (string[])["-wal", "-shm"])
                File.Delete(file + left);
        }

        Assert.True(noticed >= _flips / 4, $"Only {noticed} of {_flips} flips were noticed.");
    }

    [Fact]
    public async Task No_changed_bit_of_the_journal_is_acted_on()
    {
        var file = Path.Combine(_folder.Path, "journal.db");
        await using (var journal = Journal.Open(file))
        {
            for (var i = 0; i < 60; i++)
                await WriteInstanceAsync(journal, $"instance-{i}");
        }

        Assert.Equal(["journal.db"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        var sound = await ReadJournalAsync(file);

        var noticed = 0;
        for (var i = 0; i < _flips; i++)
        {
            var flip = await FlipAsync(file);
            try
            {
                // Who opens it, gets all of it: an orchestration that is missing would be forgotten.
                Assert.True((await ReadJournalAsync(file)).SequenceEqual(sound), $"Seed {_seed}, {flip}");
            }
            catch (StoreUnavailableException)
            {
                noticed++;
            }

            await flip.UndoAsync();
            foreach (var left in (string[])["-wal", "-shm"])
                File.Delete(file + left);
        }

        Assert.True(noticed >= _flips / 4, $"Only {noticed} of {_flips} flips were noticed.");
        Assert.Equal(sound, await ReadJournalAsync(file));
    }

    [Fact]
    public async Task No_changed_bit_of_a_secret_is_read()
    {
        var file = Path.Combine(_folder.Path, "keyvault.json");
        var vault = new LocalKeyVault(file, TimeProvider.System);
        for (var i = 0; i < 3; i++)
            vault.Set($"secret-{i}", Convert.ToBase64String(Guid.NewGuid().ToByteArray()), null, new SecretAttributes(), new() { ["tag"] = "1" });

        for (var i = 0; i < _flips; i++)
        {
            var flip = await FlipAsync(file);
            Assert.True(
                Record.Exception(() => new LocalKeyVault(file, TimeProvider.System).Check()) is StoreUnavailableException { Code: "damaged" }, $"Seed {_seed}, {flip}");
            await flip.UndoAsync();
        }
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static async Task<int> NoticedAsync(Func<Task> read)
    {
        try
        {
            await read();
            return 0;
        }
        catch (StoreUnavailableException)
        {
            return 1;
        }
    }

    private async Task WriteInstanceAsync(Journal journal, string id)
    {
        var at = DateTime.UnixEpoch.AddSeconds(_random.Next());
        var record = new InstanceRecord(
            id, "Run", (OrchestrationRuntimeStatus)_random.Next(2), at, at, JsonText(), CustomStatus: JsonText(), Output: JsonText());
        var turns = _random.Next(1, 6);
        for (var turn = 0; turn < turns; turn++)
        {
            await journal.WriteTurnAsync(
                record, turn, [new OrchestratorStartedEvent(-1) { Timestamp = at }, new EventRaisedEvent(-1, JsonText()) { Name = "Told" }]);
            await journal.NoteActivityRunAsync(id, turn, at);
        }
    }

    private string JsonText()
    {
        var content = new byte[_random.Next(1, 300)];
        _random.NextBytes(content);
        return $"\"{Convert.ToBase64String(content)}\"";
    }

    /// <summary>All that anybody could ask it.</summary>
    private static async Task<List<string>> ReadJournalAsync(string file)
    {
        await using var journal = Journal.Open(file);
        List<string> read = [];
        var records = await journal.ListAsync(null, null, null, null, null, 1000, default);
        foreach (var record in records)
        {
            read.Add($"{record}, found: {await journal.FindAsync(record.InstanceId, default)}");
            await foreach (var turn in journal.ReadHistoryAsync(record.InstanceId, default))
                read.Add(HistoryJson.Write([.. turn]));
        }

        read.AddRange((await journal.ListNewestAsync("Run", 1000, default)).Select(record => record.InstanceId).Order(StringComparer.Ordinal));
        return read;
    }

    private static async Task OpenAsync(string file, Func<IRecordTable, Task> use)
    {
        await using var services = new ServiceCollection().AddInstruments().BuildServiceProvider();
        using var tables = SqliteRecordTables.Open(file);
        await use(new CheckedRecordTable(
            ((IRecordTables)tables).Open("Table"), "test", services.GetRequiredService<Instruments>(), TimeProvider.System, NullLogger<CheckedRecordTable>.Instance));
    }

    private static async Task<Dictionary<string, (HttpStatusCode Status, string Body)>> ReadAsync(
        LocalHostProcess host, string userId, IReadOnlyList<string>? paths = null)
    {
        var answers = new Dictionary<string, (HttpStatusCode Status, string Body)>();
        paths ??=
        [
            $"users/{userId}/accounts",
            .. (await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").EnumerateArray()
                .Select(account => $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions?limit=500"),
        ];
        foreach (var path in paths)
        {
            using var answer = await host.Api.GetAsync(new Uri(path, UriKind.Relative));
            answers[path] = (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        return answers;
    }

    private void Check(TableRecord? record, byte[]? content, Flip flip)
    {
        // One that is not found under its name any more is not given out as another one.
        if (record?.Content is { } read)
            Assert.True(content is not null && read.AsSpan().SequenceEqual(content), $"Seed {_seed}, {flip}: {record}");
    }

    private async Task<Flip> FlipAsync(string file)
    {
        var bytes = await File.ReadAllBytesAsync(file);
        var flip = new Flip(file, _random.Next(bytes.Length), _random.Next(8));
        await flip.UndoAsync();
        return flip;
    }

    /// <summary>A changed bit; once more changes it back.</summary>
    private sealed record Flip(string File, int Offset, int Bit)
    {
        public async Task UndoAsync()
        {
            var bytes = await System.IO.File.ReadAllBytesAsync(File);
            bytes[Offset] ^= (byte)(1 << Bit);
            await System.IO.File.WriteAllBytesAsync(File, bytes);
        }
    }
}
