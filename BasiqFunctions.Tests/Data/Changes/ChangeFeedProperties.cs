using System.Globalization;
using System.Text;
using BasiqFunctions.Data;
using BasiqFunctions.Tests.Properties;
using static BasiqFunctions.Tests.Data.Changes.ChangeScene;

namespace BasiqFunctions.Tests.Data.Changes;

/// <summary>
/// Whatever banks do, wherever publications are interrupted and whenever readers stop, repeat, die and go on: whoever has caught up has what
/// the snapshot has, and was told of no change twice.
/// </summary>
[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class ChangeFeedProperties
{
    private const int Syncs = 20;

    /// <summary>More of them: CHANGE_HISTORIES=10000 dotnet test --filter ChangeFeedProperties.</summary>
    private static readonly int Histories = int.Parse(Environment.GetEnvironmentVariable("CHANGE_HISTORIES") ?? "30", CultureInfo.InvariantCulture);

    private static readonly int First = int.Parse(Environment.GetEnvironmentVariable("CHANGE_FIRST") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Every_reader_that_has_caught_up_has_what_the_snapshot_has()
    {
        Dictionary<string, int> happened = [];
        var gate = new Lock();
        await Parallel.ForAsync(First, First + Histories, async (seed, _) =>
        {
            var history = new History(seed);
            try
            {
                await history.RunAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message} {string.Join("; ", history.Story.TakeLast(40))}", e);
            }

            lock (gate)
            {
                foreach (var (what, times) in history.Happened)
                    happened[what] = happened.GetValueOrDefault(what) + times;
            }
        });

        // All of it was put to the test.
        foreach (var what in (string[])["whole", "part", "unchanged", "crash", "race", "connection removed", "made anew", "expired", "read in between", "held read", "linked", "gone"])
            Assert.True(happened.GetValueOrDefault(what) > Histories / 20, $"{what}: {happened.GetValueOrDefault(what)} times. {string.Join(", ", happened.Select(h => $"{h.Key} {h.Value}"))}");
    }

    private sealed record Row(string Id, bool IsPending, DateOnly Day, string Words, string Amount)
    {
        public string Json => IsPending ? Pending(Id, Day, Words, Amount) : Posted(Id, Day, Words, Amount);
    }

    private sealed class BankAccount(string id, string connection, string number)
    {
        public string Id => id;

        public string Connection => connection;

        public string Number => number;

        public int Balance { get; set; }

        public bool IsListed { get; set; } = true;

        public List<Row> Rows { get; init; } = [];

        public string Json => Account(id, connection, Balance.ToString(CultureInfo.InvariantCulture)).Replace($"12-{id}", number, StringComparison.Ordinal);
    }

    private sealed class History
    {
        private readonly Random _chance;
        private readonly ChangeScene _scene = new();
        private readonly List<BankAccount> _accounts = [];
        private readonly List<string> _ended = [];
        private readonly List<(Follower Follower, Action? Again)> _followers = [];
        private int _made;
        private bool _isInside;

        public History(int seed)
        {
            _chance = new Random(seed);
            Connect("c1", 2);
            Connect("c2", 1);
            _accounts[0].IsListed = true;
        }

        public List<string> Story { get; } = [];

        public Dictionary<string, int> Happened { get; } = [];

        public async Task RunAsync()
        {
            for (var sync = 0; sync < Syncs; sync++)
            {
                for (var i = _chance.Next(6); i > 0; i--)
                    HappenAtBank();
                await HappenHereAsync();
                await SyncAsync();
                await ReadAsync();
                _scene.Clock.Advance(TimeSpan.FromHours(_chance.Next(1, 60)));
            }

            foreach (var (follower, _) in _followers)
            {
                await CatchUpAsync(follower);
                await AssertInStepAsync(follower);
            }

            // No blob is left that nothing needs.
            _scene.Clock.Advance(TimeSpan.FromDays(2));
            await _scene.Store.Removal.RemoveLeftoversAsync(User, default);
            Assert.InRange(_scene.Blobs.Names.Count, 0, 150);
        }

        private void Note(string what)
        {
            Story.Add(what);
            Happened[what] = Happened.GetValueOrDefault(what) + 1;
        }

        private void Connect(string connection, int accounts)
        {
            for (var i = 0; i < accounts; i++)
            {
                var account = new BankAccount($"a{++_made}", connection, $"n{_made}");
                for (var j = _chance.Next(30); j > 0; j--)
                    Add(account, isPending: false, _chance.Next(60));
                _accounts.Add(account);
            }
        }

        private Row Add(BankAccount account, bool isPending, int age)
        {
            var row = new Row($"t{++_made}", isPending, _scene.Today.AddDays(-age), _chance.Next(2) == 0 ? "Coffee" : $"Word {(char)('a' + (_made % 20))}{(char)('a' + (_made / 20 % 20))}", $"-{_chance.Next(1, 6)}.00");
            account.Rows.Add(row);
            return row;
        }

        private void HappenAtBank()
        {
            if (_accounts.Count == 0)
                return;
            var account = _accounts[_chance.Next(_accounts.Count)];
            var rows = account.Rows;
            account.Balance += _chance.Next(2);
            switch (_chance.Next(10))
            {
                case 0 or 1:
                    Add(account, isPending: false, _chance.Next(3));
                    break;
                case 2:
                    Add(account, isPending: true, _chance.Next(3));
                    break;
                case 3:
                    Change(rows, row => row.IsPending, row => row with { Id = $"t{++_made}" });
                    break;
                case 4:
                    Change(rows, row => row.IsPending, row => row with { Id = $"t{++_made}", IsPending = false, Day = _scene.Today });
                    break;
                case 5 when rows.Count > 0:
                    var at = _chance.Next(rows.Count);
                    rows[at] = rows[at] with { Words = $"Edited {(char)('a' + (++_made % 26))}" };
                    break;
                case 6 when rows.Count > 0:
                    rows.RemoveAt(_chance.Next(rows.Count));
                    break;
                case 7 when rows.Count > 0:
                    var moved = _chance.Next(rows.Count);
                    rows[moved] = rows[moved] with { Day = _scene.Today.AddDays(-_chance.Next(60)) };
                    break;
                case 8 when rows.Count > 0:
                    // The same id, posted.
                    Change(rows, row => row.IsPending, row => row with { IsPending = false });
                    break;
                default:
                    for (var i = rows.Count - 1; i > 0; i--)
                    {
                        var j = _chance.Next(i + 1);
                        (rows[i], rows[j]) = (rows[j], rows[i]);
                    }

                    break;
            }
        }

        private static void Change(List<Row> rows, Predicate<Row> which, Func<Row, Row> by)
        {
            for (var i = 0; i < rows.Count; i++)
            {
                if (which(rows[i]))
                    rows[i] = by(rows[i]);
            }
        }

        private async Task HappenHereAsync()
        {
            switch (_chance.Next(16))
            {
                case 0:
                    var connection = $"c{_chance.Next(1, 3)}";
                    Note("connection removed");
                    _followers.ForEach(follower => follower.Follower.MayRemoveUnknown = true);
                    await _scene.Store.Removal.RemoveConnectionAsync(User, new(connection), null, default);
                    _scene.Clock.Advance(TimeSpan.FromSeconds(1));
                    break;
                case 1 when _accounts.Any(account => account.Connection == "c1"):
                    // The same accounts under another connection, and the old one has ended.
                    Note("made anew");
                    _followers.ForEach(follower => follower.Follower.MayRemoveUnknown = true);
                    var name = $"c1-{++_made}";
                    foreach (var account in _accounts.Where(account => account.Connection.StartsWith("c1", StringComparison.Ordinal)).ToArray())
                    {
                        _ended.Add(account.Connection);
                        _accounts[_accounts.IndexOf(account)] = new BankAccount($"a{++_made}", name, account.Number) { Rows = [.. account.Rows.Select(row => row with { Id = $"t{++_made}" })] };
                    }

                    break;
                case 2:
                    Note("a long time");
                    _scene.Clock.Advance(TimeSpan.FromDays(_chance.Next(20, 100)));
                    break;
                case 3:
                    await _scene.Store.Removal.RemoveLeftoversAsync(User, default);
                    break;
                case 4 when _accounts.Count > 1:
                    Note("gone");
                    _followers.ForEach(follower => follower.Follower.MayRemoveUnknown = true);
                    _accounts[_chance.Next(_accounts.Count)].IsListed ^= true;
                    break;
                case 5:
                    Connect($"c{_chance.Next(1, 4)}", 1);
                    break;
            }
        }

        /// <summary>A sync of one connection or of all, through what breaks meanwhile.</summary>
        private async Task SyncAsync()
        {
            var all = _accounts.Select(account => account.Connection).Distinct().ToArray();
            if (all.Length == 0)
                return;
            string[] connections = _chance.Next(2) == 0 ? all : [all[_chance.Next(all.Length)]];
            var sync = await PrepareAsync(connections);
            var (before, after) = (_chance.Next(4) == 0 ? _chance.Next(1, 25) : 0, _chance.Next(4) == 0 ? _chance.Next(1, 25) : 0);
            var reads = _chance.Next(3) == 0 ? _chance.Next(1, 20) : 0;
            var race = _chance.Next(6) == 0 ? _chance.Next(1, 15) : 0;
            _scene.Storage.Before = async (_, _) =>
            {
                if (_isInside)
                    return;
                if (--before == 0)
                    throw new IOException("It died before.");
                if (--reads == 0)
                    await InsideAsync("read in between", ReadAsync);
                if (--race == 0)
                    await InsideAsync("race", async () => await PublishAsync(await PrepareAsync([all[_chance.Next(all.Length)]])));
            };
            _scene.Storage.After = (_, _) => !_isInside && --after == 0 ? throw new IOException("It died after.") : Task.CompletedTask;
            while (true)
            {
                try
                {
                    await PublishAsync(sync);
                    break;
                }
                catch (IOException)
                {
                    Note("crash");
                }
            }

            (_scene.Storage.Before, _scene.Storage.After) = (null, null);
        }

        private async Task InsideAsync(string what, Func<Task> run)
        {
            Note(what);
            _isInside = true;
            await run();
            _isInside = false;
        }

        private async Task PublishAsync(Prepared sync)
        {
            while (true)
            {
                var result = await _scene.PublishAsync(sync.SyncId, sync.Connections, sync.Listing, sync.Spans, sync.StartedAt);
                Story.Add($"{sync.SyncId} of {string.Join(',', sync.Connections)}: {result.Outcome}");
                if (result.Linked > 0)
                    Note("linked");
                if (result.Outcome is not PublishOutcome.Outdated)
                    return;

                // As a sync does: these whole, and once more.
                foreach (var accountId in result.Outdated)
                {
                    sync.Spans.Remove(accountId);
                    _scene.SetSegments(sync.SyncId, accountId, [await _scene.WriteSegmentAsync(sync.SyncId, accountId, 0, sync.Rows[accountId].Select(row => row.Json))]);
                }
            }
        }

        /// <summary>What a sync fetches: all of an account, or what is new of it where that is enough.</summary>
        private async Task<Prepared> PrepareAsync(string[] connections)
        {
            var accounts = _accounts.Where(account => connections.Contains(account.Connection) && account.IsListed).ToArray();
            var rows = accounts.ToDictionary(account => account.Id, account => account.Rows.OrderByDescending(row => row.IsPending).ToArray());
            var syncId = await _scene.StageAsync([.. accounts.Select(account => (account.Json, (string[]?)null))]);
            Dictionary<AccountId, FetchedSpan> spans = [];
            var plans = await _scene.Store.Staging.PlanAsync(
                User, new(syncId), [.. accounts.Select(account => (new AccountId(account.Id), (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(account.Json)))],
                new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), IsFull: false), default);
            foreach (var plan in plans)
            {
                if (_chance.Next(20) == 0)
                    continue;
                var fetched = rows[plan.AccountId];
                if (plan.Kept is not { } kept || await FetchPartAsync(syncId, plan.AccountId, kept, fetched) is not { } span)
                {
                    Note("whole");
                    var parts = fetched.Length > 3 && _chance.Next(3) == 0 ? fetched.Chunk((fetched.Length + 1) / 2).ToArray() : [fetched];
                    List<string> attempts = [];
                    for (var i = 0; i < parts.Length; i++)
                        attempts.Add(await _scene.WriteSegmentAsync(syncId, plan.AccountId, i, parts[i].Select(row => row.Json)));
                    _scene.SetSegments(syncId, plan.AccountId, attempts);
                    continue;
                }

                Note(span.IsUnchanged ? "unchanged" : "part");
                spans.Add(plan.AccountId, span);
            }

            // No two syncs start at once.
            _scene.Clock.Advance(TimeSpan.FromMilliseconds(1));
            var gone = _accounts.Where(account => !account.IsListed).Select(account => new AccountId(account.Id)).ToArray();
            var listing = new AccountListing([.. _accounts.Select(account => account.Connection).Distinct().Select(id => new ConnectionId(id))], [.. _ended.Select(id => new ConnectionId(id))], IsWhole: true) { ReadAt = _scene.Clock.GetUtcNow(), GoneAccounts = gone };
            return new Prepared(syncId, connections, spans, rows, listing, _scene.Clock.GetUtcNow());
        }

        private async Task<FetchedSpan?> FetchPartAsync(string syncId, string accountId, KeptSpan kept, Row[] rows)
        {
            var overlap = await _scene.Store.Staging.OpenOverlapAsync(User, new(accountId), kept, default);
            if (overlap is null)
                return null;
            var newer = rows.Where(row => !row.IsPending && row.Day >= kept.From).ToArray();
            var known = overlap.Count;
            var matched = newer.Count(row => overlap.Takes(Encoding.UTF8.GetBytes(row.Json)));
            var days = new BankDays("Australia/Sydney");
            var ids = newer.Select(row => TransactionFacts.Read(Encoding.UTF8.GetBytes(row.Json), days).Id).ToHashSet();
            if (matched != known || (newer.Length > matched && await _scene.Store.Staging.HasAnyKeptAsync(User, new(accountId), kept, ids, default) is not false))
                return null;
            _scene.SetSegments(syncId, accountId, [await _scene.WriteSegmentAsync(syncId, accountId, 0, newer.Select(row => row.Json))]);

            // What is pending was fetched before, and may be posted by now.
            var pending = rows.Where(row => row.IsPending).ToList();
            if (newer.Length > 0 && _chance.Next(10) == 0)
                pending.Add(newer[0] with { IsPending = true });
            return new FetchedSpan(
                kept, 1, pending.Count == 0 ? null : await _scene.WriteSegmentAsync(syncId, accountId, SnapshotPaths.PendingNumber, pending.Select(row => row.Json)),
                IsUnchanged: pending.Count == 0 && newer.Length == known && overlap.IsInOrder);
        }

        /// <summary>Readers go on, or begin, repeat what they have read, or stop.</summary>
        private async Task ReadAsync()
        {
            if (await _scene.Store.Reader.GetCurrentAsync(User, default) is null)
                return;
            if (_followers.Count < 4 && _chance.Next(3) == 0)
                _followers.Add((new Follower(_scene, _chance.Next(1, 12)) { MayRemoveUnknown = Happened.ContainsKey("connection removed") || Happened.ContainsKey("made anew") || Happened.ContainsKey("gone") }, null));
            for (var i = 0; i < _followers.Count; i++)
            {
                var (follower, again) = _followers[i];
                switch (_chance.Next(5))
                {
                    case 0:
                        await CatchUpAsync(follower);
                        if (!_isInside)
                            await AssertInStepAsync(follower);
                        break;
                    case 1 or 2:
                        for (var steps = _chance.Next(1, 5); steps > 0; steps--)
                        {
                            if (!await follower.StepAsync())
                                Note("expired");
                        }

                        if (follower.At?.Whole is not null)
                            Note("held read");
                        break;
                    case 3:
                        // It died before it had written down what came last.
                        again?.Invoke();
                        break;
                    default:
                        again = follower.Remember();
                        break;
                }

                _followers[i] = (follower, again);
            }
        }

        private async Task CatchUpAsync(Follower follower)
        {
            do
            {
                if (!await follower.StepAsync())
                    Note("expired");
            }
            while (!follower.HasCaughtUp);
        }

        private async Task AssertInStepAsync(Follower follower)
        {
            var (transactions, accounts) = await _scene.ReadSnapshotAsync();
            Assert.Equal(transactions.OrderBy(t => t.Key, StringComparer.Ordinal), follower.Transactions.OrderBy(t => t.Key, StringComparer.Ordinal));
            Assert.Equal(accounts.OrderBy(a => a.Key, StringComparer.Ordinal), follower.Accounts.OrderBy(a => a.Key, StringComparer.Ordinal));
        }

        private sealed record Prepared(
            string SyncId, string[] Connections, Dictionary<AccountId, FetchedSpan> Spans, Dictionary<string, Row[]> Rows, AccountListing Listing, DateTimeOffset StartedAt);
    }
}
