using System.Globalization;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.Notifications;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using BasiqFunctions.Tests.Users;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Sync;

/// <summary>
/// Whatever a bank does, and wherever a sync is interrupted: after a fetch of the whole the snapshot is what Basiq has, byte for byte;
/// after a fetch in part it differs from that only in what is older than the days that were fetched again.
/// </summary>
[Trait("Category", "Journeys")]
public sealed class IncrementalSyncProperties
{
    private static readonly UserId UserId = UsersScene.Someone;
    private const int Overlap = 14;

    /// <summary>More of them: INCREMENTAL_SEEDS=300 dotnet test --filter IncrementalSyncProperties.</summary>
    private static readonly int Seeds = int.Parse(Environment.GetEnvironmentVariable("INCREMENTAL_SEEDS") ?? "6", CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_snapshot_is_what_Basiq_has_but_for_what_the_rule_leaves_to_the_next_whole_fetch()
    {
        var (whole, inPart, removed) = (0, 0, 0);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            using var history = new History(seed);
            await history.RunAsync(syncs: 7);
            whole += history.Whole;
            inPart += history.InPart;
            removed += history.Removed;
        }

        // Each of them has been put to the test.
        Assert.InRange(inPart, Seeds, int.MaxValue);
        Assert.InRange(whole, Seeds, int.MaxValue);
        Assert.InRange(removed, Seeds / 6, int.MaxValue);
    }

    private sealed class History : IDisposable
    {
        private readonly int _seed;
        private readonly Random _chance;
        private readonly TemporaryDirectory _folder = new();
        private readonly InterceptedStorage _storage;
        private readonly UsersScene _scene;
        private readonly SimulatedBank _bank;
        private readonly List<string> _story = [];
        private readonly Dictionary<string, string[]> _before = [];
        private EngineUnderTest? _engine;
        private int _syncs;
        private DateTimeOffset? _removedAt;

        public History(int seed)
        {
            (_seed, _chance) = (seed, new Random(seed));
            _bank = new SimulatedBank(_chance, "a1", "a2");
            InterceptedStorage? storage = null;
            _scene = new UsersScene(services => services.AddSingleton<ISnapshotStorage>(
                provider => storage = new InterceptedStorage(new FileSnapshotStorage(Path.Combine(_folder.Path, "snapshots"), provider.GetRequiredService<TimeProvider>()))));
            _scene.Services.GetRequiredService<ISnapshotStorage>();
            _storage = storage!;
            _bank.Attach(_scene.Basiq);
        }

        public int Whole { get; private set; }

        public int InPart { get; private set; }

        public int Removed { get; private set; }

        private DateOnly Today => DateOnly.FromDateTime(_scene.Clock.GetUtcNow().UtcDateTime);

        public void Dispose()
        {
            _engine?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _scene.Dispose();
            _folder.Dispose();
        }

        public async Task RunAsync(int syncs)
        {
            foreach (var account in _bank.Accounts)
            {
                for (var day = 60; day >= 0; day -= _chance.Next(1, 4))
                    _bank.Post(account, Today.AddDays(-day));
            }

            for (var sync = 0; sync < syncs; sync++)
            {
                for (var i = _chance.Next(4); i > 0; i--)
                    _story.Add(_bank.Happen(Today));
                var isFull = sync == syncs - 1;
                await SyncAsync(_chance.Next(3) == 0 ? 2 : 1, isFull, isDisturbed: _chance.Next(2) == 0, isRemoved: !isFull && _chance.Next(8) == 0);
                if (!await IsRemovedAsync())
                    await CheckAsync(isFull);
                _scene.Clock.Advance(TimeSpan.FromHours(_chance.Next(1, 60)));

                // No sync lasts into the next day, from which the days to fetch again would be counted.
                if (_scene.Clock.GetUtcNow().Hour == 23)
                    _scene.Clock.Advance(TimeSpan.FromHours(1));
            }
        }

        /// <summary>Runs some syncs at once to their end, through what breaks meanwhile.</summary>
        private async Task SyncAsync(int atOnce, bool isFull, bool isDisturbed, bool isRemoved)
        {
            _story.Add($"{atOnce} syncs{(isFull ? ", whole" : "")}{(isDisturbed ? ", disturbed" : "")}{(isRemoved ? ", its connection removed" : "")}");
            _removedAt = null;
            if (isDisturbed)
            {
                // A process that dies before or after a step has it made again by another.
                var steps = _chance.Next(1, 30);
                _storage.Before = (_, _) => Interlocked.Decrement(ref steps) == 0 ? throw new IOException("It died before.") : Task.CompletedTask;
                var stepsAfter = _chance.Next(1, 40);
                _storage.After = (_, _) => Interlocked.Decrement(ref stepsAfter) == 0 ? throw new IOException("It died after.") : Task.CompletedTask;
                var pages = _chance.Next(1, 12);
                _bank.OnPage = () =>
                {
                    if (Interlocked.Decrement(ref pages) == 0)
                        throw new BasiqException(new BasiqFailure(BasiqFailureKind.Unavailable, "service-unavailable") { IsTransient = true });
                };
            }

            if (isRemoved)
            {
                var pages = _chance.Next(1, 12);
                _bank.OnPage = () =>
                {
                    if (Interlocked.Decrement(ref pages) == 0)
                        RemoveAsync().GetAwaiter().GetResult();
                };
            }

            // A part of the syncs lives on two engines, the second of which goes on from the journal.
            if (_engine is null || _chance.Next(4) == 0)
                await RestartAsync();
            var settings = new SyncOptions { PageSize = 7, PagesPerActivity = 2, MaxParallelAccounts = 1 };
            List<string> ids = [];
            for (var i = 0; i < atOnce; i++)
            {
                ids.Add($"sync-{_seed}-{++_syncs}");
                // Of two, one follows a job and the other fetches what Basiq has.
                var input = i == 0
                    ? new SyncInput(UserId, [], settings) { ConnectionIds = [new(SimulatedBank.ConnectionId)], IsFull = isFull }
                    : new SyncInput(UserId, [SyncedJob.Unseen(new($"job-{_syncs}"))], settings) { IsFull = isFull };
                await _engine!.Client.ScheduleNewOrchestrationInstanceAsync(SyncOrchestration.Name, input, new StartOrchestrationOptions(ids[^1]));
            }

            if (_chance.Next(4) == 0)
                await RestartAsync();
            foreach (var id in ids)
            {
                var ended = await _engine!.EndOfAsync(id, _scene.Clock, TimeSpan.FromSeconds(1));
                Assert.True(ended.RuntimeStatus is OrchestrationRuntimeStatus.Completed, Told($"{ended.RuntimeStatus}: {ended.FailureDetails?.ErrorMessage}"));
                var progress = JsonSerializer.Deserialize<SyncProgress>(ended.SerializedOutput!)!;
                Assert.True(
                    progress.Status is SyncState.Completed || (_removedAt is not null && progress.Status is SyncState.Cancelled),
                    Told($"{progress.Status}: {progress.Error}"));
            }

            (_storage.Before, _storage.After, _bank.OnPage) = (null, null, () => { });
        }

        /// <summary>Removes the connection as a durable removal does: until it is done.</summary>
        private async Task RemoveAsync()
        {
            while (true)
            {
                try
                {
                    await _scene.Snapshots.Removal.RemoveConnectionAsync(UserId, new(SimulatedBank.ConnectionId), null, default);
                    _removedAt = _scene.Clock.GetUtcNow();
                    return;
                }
                catch (IOException)
                {
                    // It died, and is resumed.
                }
            }
        }

        /// <summary>Whether nothing is there, because it was removed during the last syncs: one of them that began before must not have brought it back.</summary>
        private async Task<bool> IsRemovedAsync()
        {
            if (_removedAt is not { } removedAt)
                return false;
            _before.Clear();
            if ((await _scene.Snapshots.Reader.ListStartsAsync(UserId, default)).TryGetValue(new(SimulatedBank.ConnectionId), out var startedAt))
            {
                Assert.True(startedAt > removedAt, Told($"a sync of {startedAt:O} brought back what was removed at {removedAt:O}"));
                return false;
            }

            Removed++;

            // What stays beside the manifest are the parts of the feed that tell by ids what was removed: ChangeFeedTests look into them.
            var left = Directory.EnumerateFiles(Path.Combine(_folder.Path, "snapshots"), "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != "current.json" && !Path.GetFileName(file).StartsWith("changes-", StringComparison.Ordinal)).ToArray();
            Assert.True(left.Length == 0, Told($"of what was removed {string.Join(", ", left)} is left"));
            return true;
        }

        private async Task RestartAsync()
        {
            if (_engine is not null)
                await _engine.DisposeAsync();
            _engine = await EngineUnderTest.StartAsync(
                Path.Combine(_folder.Path, "journal.db"), _scene.Clock, _scene.Services, typeof(SyncOrchestration), typeof(SyncActivities), typeof(DeliveryOrchestration), typeof(DeliveryActivities));
        }

        private async Task CheckAsync(bool isFull)
        {
            var snapshot = (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!;
            foreach (var account in _bank.Accounts)
            {
                var now = await ReadAsync(account);
                var basiq = _bank.TransactionsOf(account);
                var before = _before.GetValueOrDefault(account);
                if (now.SequenceEqual(basiq.Select(t => t.Json)))
                {
                    _ = before is null || isFull ? Whole++ : InPart++;
                }
                else
                {
                    Assert.False(isFull || before is null, Told($"{account} was fetched whole and is not what Basiq has"));
                    CheckPart(account, before!, now, basiq);
                    InPart++;
                }

                Assert.True(now.Select(IdOf).Distinct().Count() == now.Length, Told($"{account} has an id twice"));
                Assert.Equal(now.Length, snapshot.Accounts.Single(a => a.AccountId == account).Transactions);
                _before[account] = now;
            }

            // What no snapshot refers to is gone.
            var left = Directory.EnumerateFiles(Path.Combine(_folder.Path, "snapshots"), "*", SearchOption.AllDirectories).ToArray();
            Assert.True(left.Length < 60, Told($"{left.Length} files are left"));
        }

        /// <summary>Newer than the overlap all is Basiq's, in its order; older is what was there before, and a history that goes back further.</summary>
        private void CheckPart(string account, string[] before, string[] now, IReadOnlyList<(string Id, DateOnly Day, bool IsPending, string Json)> basiq)
        {
            var postedBefore = before.Where(t => !IsPending(t)).ToArray();
            var newest = postedBefore.Max(DayOf);
            var from = (newest < Today ? newest : Today).AddDays(-Overlap);
            var first = postedBefore.Min(DayOf);
            Assert.True(
                now.Where(IsPending).SequenceEqual(basiq.Where(t => t.IsPending).Select(t => t.Json)), Told($"{account} has other pending ones"));
            Assert.True(
                now.Where(t => !IsPending(t) && DayOf(t) >= from).SequenceEqual(basiq.Where(t => !t.IsPending && t.Day >= from).Select(t => t.Json)),
                Told($"{account} differs in the overlap from {from}"));
            Assert.True(
                now.Where(t => !IsPending(t) && DayOf(t) < from && DayOf(t) >= first).SequenceEqual(postedBefore.Where(t => DayOf(t) < from)),
                Told($"{account} does not keep what is older than {from}"));
            var older = now.Where(t => !IsPending(t) && DayOf(t) < first).ToArray();
            Assert.True(
                older.SequenceEqual(basiq.Where(t => !t.IsPending && t.Day < first).Select(t => t.Json)), Told($"{account} lacks the history before {first}"));

            // The overlap was as it had been: else the whole would have been fetched.
            var known = basiq.Select(t => t.Json).ToHashSet();
            Assert.True(postedBefore.Where(t => DayOf(t) >= from).All(known.Contains), Told($"{account} changed in the overlap and was not fetched whole"));
        }

        private async Task<string[]> ReadAsync(string account)
        {
            List<string> all = [];
            Cursor? cursor = null;
            do
            {
                var page = Assert.IsType<TransactionsResult.Page>(
                    await _scene.Snapshots.Reader.ReadTransactionsAsync(UserId, new(account), new TransactionQuery(Limit: 9, Cursor: cursor), default));
                all.AddRange(page.Transactions.Select(t => Encoding.UTF8.GetString(t.Span)));
                cursor = page.NextCursor;
            }
            while (cursor is not null);
            return [.. all];
        }

        private string Told(string what) => $"Seed {_seed}: {what}. {string.Join("; ", _story)}";

        private static string IdOf(string transaction) => JsonElement.Parse(transaction).GetProperty("id").GetString()!;

        private static bool IsPending(string transaction) => transaction.Contains("\"status\":\"pending\"", StringComparison.Ordinal);

        private static DateOnly DayOf(string transaction)
        {
            var time = DateTime.Parse(JsonElement.Parse(transaction).GetProperty("transactionDate").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
            return time.TimeOfDay == TimeSpan.Zero
                ? DateOnly.FromDateTime(time)
                : DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(time, TimeZoneInfo.FindSystemTimeZoneById("Australia/Sydney")));
        }
    }
}
