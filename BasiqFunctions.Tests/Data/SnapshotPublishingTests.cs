using System.Text;
using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class SnapshotPublishingTests : IDisposable
{
    private static readonly UserId User = new("user-1");

    private static readonly string[] OneTransaction = ["{\"id\":\"t\"}"];

    private readonly SnapshotScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Older_transactions_stay_in_the_files_of_earlier_syncs_for_as_long_as_something_refers_to_them()
    {
        var known = Enumerable.Range(0, 100).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 6, 30).AddDays(-i))).ToArray();
        await _scene.StageAsync(User, "s1", ("a1", "c1", known));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");
        var kept = (await _scene.PlanAsync(User, "a1", "c1"))!;
        Assert.Equal(new DateOnly(2024, 6, 16), kept.From);

        string[] first = [SnapshotScene.Posted(100, new DateOnly(2024, 7, 1)), .. known[..15]];
        Assert.Equal(PublishOutcome.Published, (await _scene.SyncPartAsync(User, "s2", "a1", "c1", kept, first)).Outcome);
        Assert.Equal((string[])[first[0], .. known], await _scene.ReadAllAsync(User, "a1", new TransactionQuery(Limit: 7)));
        Assert.Contains("user-1/syncs/s1/a1/000000.pages", _scene.Files);
        Assert.Equal(101, (await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts[0].Transactions);

        // What was fetched beside other transactions than there are is not published, and its sync is told so.
        var late = await _scene.SyncPartAsync(User, "s3", "a1", "c1", kept, first);
        Assert.Equal((PublishOutcome.Outdated, "a1"), (late.Outcome, Assert.Single(late.Outdated)));
        Assert.Equal((string[])[first[0], .. known], await _scene.ReadAllAsync(User, "a1", new TransactionQuery(Limit: 500)));
        await _scene.Store.Removal.DiscardAsync(User, new("s3"), default);

        // A day later only one day of the second file is still needed, beside the first and the third.
        string[] second = [SnapshotScene.Posted(101, new DateOnly(2024, 7, 2)), .. first[..15]];
        var next = (await _scene.PlanAsync(User, "a1", "c1"))!;
        Assert.Equal(new DateOnly(2024, 6, 17), next.From);
        await _scene.SyncPartAsync(User, "s4", "a1", "c1", next, second);
        Assert.Equal((string[])[second[0], first[0], .. known], await _scene.ReadAllAsync(User, "a1", new TransactionQuery(Limit: 500)));
        Assert.Equal((string[])[known[14]], await _scene.ReadAllAsync(User, "a1", new TransactionQuery(new DateOnly(2024, 6, 16), new DateOnly(2024, 6, 16))));
        Assert.Equal(3, _scene.Files.Count(IsSegment));

        // A fetch of the whole needs none of them; one that is asked for, or is due, is such a fetch.
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1", isFull: true));
        _scene.Clock.Advance(TimeSpan.FromDays(30));
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1"));
        await _scene.SyncAsync(User, "s5", "a1", "c1");
        Assert.Equal(["user-1/syncs/s5/a1/000000.pages"], _scene.Files.Where(IsSegment));
    }

    [Fact]
    public async Task A_bank_of_which_an_account_was_not_fetched_is_known_up_to_when_all_were()
    {
        await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction), ("a2", "c1", OneTransaction));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");
        Assert.Null(await AsOfAsync());
        Assert.Null((await _scene.Store.Reader.GetCurrentAsync(User, default))!.FullAsOf);

        var whole = await PublishLaterAsync("s2", new() { ["a1"] = 1, ["a2"] = 1 });
        Assert.Equal(whole, await AsOfAsync());
        Assert.NotNull((await _scene.Store.Reader.GetCurrentAsync(User, default))!.FullAsOf);

        await PublishLaterAsync("s3", new() { ["a1"] = 1 });
        await PublishLaterAsync("s4", new() { ["a2"] = 1 });
        Assert.Equal(whole, await AsOfAsync());
        Assert.Equal(await PublishLaterAsync("s5", new() { ["a1"] = 1, ["a2"] = 1 }), await AsOfAsync());

        async Task<DateTimeOffset?> AsOfAsync()
        {
            var found = await _scene.Store.Reader.FindAsOfAsync(User, new("c1"), ofWhole: false, default);
            Assert.Equal(found?.AsOf, (await _scene.Store.Reader.ListAsOfAsync(User, default)).Connections[new("c1")]);
            return found?.AsOf;
        }

        async Task<DateTimeOffset> PublishLaterAsync(string syncId, Dictionary<string, int> segments)
        {
            _scene.Clock.Advance(TimeSpan.FromHours(1));
            await _scene.StageAsync(User, syncId, ("a1", "c1", OneTransaction), ("a2", "c1", OneTransaction));
            Assert.Equal(PublishOutcome.Published, (await _scene.PublishAsync(User, syncId, segments, "c1")).Outcome);
            return _scene.Clock.GetUtcNow();
        }
    }

    [Fact]
    public async Task A_removed_connection_takes_all_files_along_that_its_transactions_are_in()
    {
        var known = Enumerable.Range(0, 40).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 6, 30).AddDays(-i))).ToArray();
        await _scene.StageAsync(User, "s1", ("a1", "c1", known));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");
        await _scene.SyncPartAsync(User, "s2", "a1", "c1", (await _scene.PlanAsync(User, "a1", "c1"))!, known[..15]);
        await _scene.Store.Damage.NoteAsync(User, new SnapshotCorruptException("user-1/syncs/s1/a1/000000-0a1b2c3d.pages", "it is short"), default);
        _scene.Clock.Advance(SnapshotRemoval.PublishingTime);

        Assert.True(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));
        Assert.DoesNotContain(_scene.Files, file => file.Contains("/a1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sync_that_is_discarded_while_others_build_on_it_takes_what_they_refer_to_along()
    {
        var known = Enumerable.Range(0, 40).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 6, 30).AddDays(-i))).ToArray();
        await _scene.StageAsync(User, "s1", ("a1", "c1", known));
        _scene.Storage.After = async (step, name) =>
        {
            if (step != "put" || !name.EndsWith("current.json", StringComparison.Ordinal))
                return;
            _scene.Storage.After = null;
            await _scene.SyncPartAsync(User, "s2", "a1", "c1", (await _scene.PlanAsync(User, "a1", "c1"))!, known[..15]);
            await _scene.Store.Removal.DiscardAsync(User, new("s1"), default);
        };

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1"));
        Assert.Empty((await _scene.Store.Reader.GetCurrentAsync(User, default))?.Accounts ?? []);
    }

    [Fact]
    public async Task A_whole_history_that_was_asked_for_is_owed_until_a_sync_publishes_it()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        var kept = (await _scene.PlanAsync(User, "a1", "c1"))!;

        // It fails, or a sync that fetched later publishes before it.
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1", isFull: true));
        await _scene.Store.Removal.DiscardAsync(User, new("full"), default);
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1"));
        await _scene.SyncPartAsync(User, "s2", "a1", "c1", kept, SnapshotScene.Posted(1, new DateOnly(2024, 6, 1)));
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1"));

        await _scene.SyncAsync(User, "s3", "a1", "c1");
        Assert.NotNull(await _scene.PlanAsync(User, "a1", "c1"));
    }

    [Fact]
    public async Task Nothing_is_owed_of_somebody_whose_sync_was_discarded()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.Store.Staging.PlanAsync(
            User, new("discarded"), [(new("a1"), SnapshotScene.Account("a1", "c1"))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), IsFull: true), default));

        Assert.DoesNotContain(_scene.Files, file => file.Contains("damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_two_syncs_of_a_bank_the_one_that_fetched_later_stays_whichever_started_first()
    {
        var start = _scene.Clock.GetUtcNow();
        Assert.Equal(PublishOutcome.Published, await PublishAsync("news", startedAt: 5, asOf: 30));
        Assert.Equal(PublishOutcome.Published, await PublishAsync("job", startedAt: 0, asOf: 45));
        Assert.Equal(PublishOutcome.Superseded, await PublishAsync("slow", startedAt: 40, asOf: 41));

        async Task<PublishOutcome> PublishAsync(string syncId, int startedAt, int asOf)
        {
            await _scene.StageAsync(User, syncId, ("a1", "c1", []));
            return (await _scene.Store.Publisher.PublishAsync(
                new SnapshotPublication(User, new(syncId), start.AddSeconds(startedAt), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>>()) { AsOf = start.AddSeconds(asOf) },
                default)).Outcome;
        }
    }

    [Fact]
    public async Task A_posting_that_is_dated_in_the_future_hides_nothing_that_comes_until_then()
    {
        _scene.Clock.SetUtcNow(new DateTimeOffset(2024, 7, 1, 12, 0, 0, TimeSpan.Zero));
        await _scene.StageAsync(User, "s1", ("a1", "c1", [SnapshotScene.Posted(1, new DateOnly(2099, 1, 1)), SnapshotScene.Posted(2, new DateOnly(2024, 6, 30))]));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");

        Assert.Equal(new DateOnly(2024, 6, 17), (await _scene.PlanAsync(User, "a1", "c1"))!.From);
    }

    [Theory]
    [InlineData("2024-01-01", "2023-01-01", true)]
    [InlineData("2024-06-30", "2024-06-15", false)]
    [InlineData("2024-01-01", "0001-01-01", null)]
    public async Task A_history_that_begins_earlier_is_fetched_where_it_is_new_unless_that_is_known(string before, string now, bool? isOlder)
    {
        var published = Encoding.UTF8.GetBytes(AccountFrom(before));
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [published], default);
        await _scene.WriteSegmentAsync(User, "s1", "a1", 0, [[SnapshotScene.Posted(1, new DateOnly(2024, 6, 10))]]);
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");

        var plan = await _scene.PlanAsync(User, "a1", "c1", account: AccountFrom(now));

        Assert.Equal(isOlder, plan is null ? null : plan.OlderFrom is not null);

        static string AccountFrom(string from) =>
            $$"""{"id":"a1","connection":"c1","transactionIntervals":[{"from":"{{from}}","to":"2024-07-01"}]}""";
    }

    [Fact]
    public async Task What_a_reader_could_not_read_is_fetched_whole_and_is_well_again()
    {
        var known = Enumerable.Range(0, 40).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 6, 30).AddDays(-i))).ToArray();
        await _scene.StageAsync(User, "s1", ("a1", "c1", known));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1");
        Assert.NotNull(await _scene.PlanAsync(User, "a1", "c1"));

        await _scene.Store.Damage.NoteAsync(User, new SnapshotCorruptException("user-1/syncs/s1/a1/000000-0a1b2c3d.pages", "it is short"), default);
        Assert.Null(await _scene.PlanAsync(User, "a1", "c1"));
        await _scene.SyncAsync(User, "s2", "a1", "c1");
        Assert.NotNull(await _scene.PlanAsync(User, "a1", "c1"));
    }

    [Fact]
    public async Task Refreshing_one_bank_keeps_the_other()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.SyncAsync(User, "s2", "a2", "c2");
        await _scene.SyncAsync(User, "s3", "a1", "c1");

        Assert.Equal(["a1@s3", "a2@s2"], await _scene.AccountIdsAsync(User));
        Assert.Equal("s3", (await _scene.Store.Reader.GetCurrentAsync(User, default))!.RunId);
        Assert.Single(await _scene.ReadAllAsync(User, "a2", new TransactionQuery()));
        Assert.Equal(
            [
                "user-1", "user-1/current.json", "user-1/syncs",
                "user-1/syncs/s2", "user-1/syncs/s2/a2", "user-1/syncs/s2/a2/000000.pages", "user-1/syncs/s2/changes.pages",
                "user-1/syncs/s3", "user-1/syncs/s3/a1", "user-1/syncs/s3/a1/000000.pages", "user-1/syncs/s3/changes.pages",
            ],
            _scene.Files);
    }

    [Fact]
    public async Task An_account_that_a_list_lacks_stays_until_it_is_gone()
    {
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction), ("a2", "c1", OneTransaction));
        await _scene.PublishAsync(User, "s1", segments, "c1");
        var missingSince = _scene.Clock.GetUtcNow();
        await PublishListAsync("s2", new AccountListing([new("c1")], [], IsWhole: true));
        Assert.Equal([null, null], (await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts.Select(account => account.MissingSince));
        foreach (var sync in new[] { "s3", "s4" })
        {
            await PublishListAsync(sync, new AccountListing([new("c1")], [], IsWhole: true) { ReadAt = _scene.Clock.GetUtcNow() });
            _scene.Clock.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(["a1@s1", "a2@s4"], await _scene.AccountIdsAsync(User));
        Assert.Equal([missingSince, null], (await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts.Select(account => account.MissingSince));
        Assert.IsType<TransactionsResult.Page>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("a1"), new TransactionQuery(), default));

        await PublishListAsync("s5", new AccountListing([new("c1")], [], IsWhole: true) { GoneAccounts = [new("a1")] });

        Assert.Equal(["a2@s5"], await _scene.AccountIdsAsync(User));
        Assert.IsType<TransactionsResult.AccountNotFound>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("a1"), new TransactionQuery(), default));
    }

    [Fact]
    public async Task An_account_that_another_sync_has_fetched_meanwhile_is_not_gone()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");

        await PublishListAsync("s2", new AccountListing([new("c1")], [], IsWhole: true) { GoneAccounts = [new("a1")] });

        Assert.Equal(["a1@s1", "a2@s2"], await _scene.AccountIdsAsync(User));
    }

    /// <summary>Publishes a sync of c1 whose list names a2 alone.</summary>
    /// <summary>Whether a file holds transactions as they were fetched.</summary>
    private static bool IsSegment(string file) =>
        file.EndsWith(".pages", StringComparison.Ordinal) && !file.EndsWith("/changes.pages", StringComparison.Ordinal);

    private async Task PublishListAsync(string syncId, AccountListing listing)
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new(syncId), [SnapshotScene.Account("a2", "c1")], default);
        await _scene.Store.Publisher.PublishAsync(
            new SnapshotPublication(User, new(syncId), _scene.Clock.GetUtcNow(), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>>()) { Listing = listing },
            default);
    }

    [Fact]
    public async Task Only_a_sync_that_changed_something_is_news()
    {
        Assert.True(await IsNewsAsync("first", "1.00"));
        Assert.False(await IsNewsAsync("same", "1.00"));
        Assert.True(await IsNewsAsync("other-balance", "2.00"));
        Assert.False(await IsNewsAsync("same-again", "2.00"));

        async Task<bool> IsNewsAsync(string syncId, string balance)
        {
            await _scene.Store.Staging.StageAccountsAsync(User, new(syncId), [SnapshotScene.Account("a1", "c1", balance)], default);
            return (await _scene.PublishAsync(User, syncId, [], "c1")).HasNews;
        }
    }

    [Fact]
    public async Task A_connection_left_without_accounts_is_not_refilled_by_an_older_sync()
    {
        var older = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "older", ("a1", "c1", OneTransaction));
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        await _scene.Store.Staging.StageAccountsAsync(User, new("newer"), [], default);
        Assert.Equal(PublishOutcome.Published, (await _scene.PublishAsync(User, "newer", [], "c1")).Outcome);

        Assert.Equal(PublishOutcome.Superseded, (await _scene.PublishAsync(User, "older", older, segments, "c1")).Outcome);

        Assert.Empty(await _scene.AccountIdsAsync(User));
        Assert.DoesNotContain(_scene.Files, f => f.Contains("older", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sync_that_started_earlier_takes_only_the_connections_that_no_later_one_published()
    {
        var older = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "older", ("a1", "c1", OneTransaction), ("a2", "c2", OneTransaction));
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        await _scene.SyncAsync(User, "newer", "a1", "c1");

        var result = await _scene.PublishAsync(User, "older", older, segments, "c1", "c2");

        Assert.Equal(new PublishResult(PublishOutcome.Published, 1, 1) { HasNews = true, DataAsOf = _scene.Clock.GetUtcNow() }, result);
        Assert.Equal(["a1@newer", "a2@older"], await _scene.AccountIdsAsync(User));
        Assert.DoesNotContain("user-1/syncs/older/a1", _scene.Files);
    }

    [Fact]
    public async Task Staged_accounts_of_connections_that_were_not_fetched_are_not_published()
    {
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction), ("a2", "c2", OneTransaction));
        await _scene.PublishAsync(User, "s1", segments, "c1");
        Assert.Equal(["a1@s1"], await _scene.AccountIdsAsync(User));
    }

    [Fact]
    public async Task An_account_whose_transactions_could_not_be_fetched_keeps_the_earlier_ones()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.Store.Staging.StageAccountsAsync(User, new("s2"), [SnapshotScene.Account("a1", "c1", "2.00")], default);
        await _scene.PublishAsync(User, "s2", [], "c1");

        var account = Assert.Single((await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts);
        Assert.Contains("2.00", SnapshotScene.Text(account.Raw), StringComparison.Ordinal);
        Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));

        await _scene.SyncAsync(User, "s3", "a1", "c1");
        Assert.DoesNotContain(_scene.Files, f => f.Contains("s1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_removed_connection_is_remembered_for_as_long_as_Basiq_may_list_it()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default);

        // A sync that began before the removal may be running still.
        Assert.Equal(["c1"], await RemovedAfterAsync("s2", new AccountListing([new("c2")], [], IsWhole: true)));
        _scene.Clock.Advance(TimeSpan.FromDays(40));
        Assert.Equal(["c1"], await RemovedAfterAsync("s3", new AccountListing([new("c1"), new("c2")], [], IsWhole: true)));
        Assert.Equal(["c1"], await RemovedAfterAsync("s4", new AccountListing([new("c2")], [], IsWhole: false)));
        Assert.Equal(["c1"], await RemovedAfterAsync("s5", new AccountListing([], [], IsWhole: true)));
        await _scene.Store.Removal.RemoveConnectionAsync(User, new("c3"), null, default);
        Assert.Equal(["c1", "c3"], await RemovedAsync());

        Assert.Equal(["c3"], await RemovedAfterAsync("s6", new AccountListing([new("c2")], [], IsWhole: true)));

        async Task<IEnumerable<string>> RemovedAfterAsync(string syncId, AccountListing listing)
        {
            await _scene.Store.Staging.StageAccountsAsync(User, new(syncId), [SnapshotScene.Account("a2", "c2")], default);
            var publication = new SnapshotPublication(User, new(syncId), _scene.Clock.GetUtcNow(), [new("c2")], new Dictionary<AccountId, IReadOnlyList<string>>());
            Assert.Equal(PublishOutcome.Published, (await _scene.Store.Publisher.PublishAsync(publication with { Listing = listing }, default)).Outcome);
            _scene.Clock.Advance(TimeSpan.FromSeconds(1));
            return await RemovedAsync();
        }

        async Task<IEnumerable<string>> RemovedAsync() => (await _scene.Store.Reader.ListRemovedConnectionsAsync(User, default)).Select(id => id.Value);
    }

    [Fact]
    public async Task Publishing_the_same_sync_again_changes_nothing()
    {
        var startedAt = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction));
        var first = await _scene.PublishAsync(User, "s1", startedAt, segments, "c1");
        var manifest = await File.ReadAllBytesAsync(Path.Combine(_scene.Folder, "user-1/current.json"));
        _scene.Clock.Advance(TimeSpan.FromMinutes(5));

        var again = await _scene.PublishAsync(User, "s1", startedAt, segments, "c1");

        Assert.Equal(first with { Outcome = PublishOutcome.AlreadyPublished }, again);
        Assert.Equal(manifest, await File.ReadAllBytesAsync(Path.Combine(_scene.Folder, "user-1/current.json")));
        Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
    }

    [Fact]
    public async Task The_same_sync_published_many_times_at_once_is_published_once()
    {
        var startedAt = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction));

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _scene.PublishAsync(User, "s1", startedAt, segments, "c1"))));

        Assert.Single(results, r => r.Outcome == PublishOutcome.Published);
        Assert.Equal(7, results.Count(r => r.Outcome == PublishOutcome.AlreadyPublished));
        Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
    }

    [Fact]
    public async Task Syncs_of_many_banks_that_publish_at_once_all_take_effect()
    {
        var syncs = Enumerable.Range(0, 12).ToArray();
        await Task.WhenAll(syncs.Select(i => Task.Run(() => _scene.SyncAsync(User, $"s{i}", $"a{i}", $"c{i}"))));

        Assert.Equal(syncs.Select(i => $"a{i}@s{i}").Order(StringComparer.Ordinal), await _scene.AccountIdsAsync(User));
        foreach (var i in syncs)
            Assert.Single(await _scene.ReadAllAsync(User, $"a{i}", new TransactionQuery()));
    }

    [Fact]
    public async Task A_sync_on_top_of_which_another_publishes_is_not_taken_for_discarded()
    {
        _scene.Storage.Before = async (step, name) =>
        {
            if (step != "exists" || name != SnapshotPaths.Accounts(User, new("s1")))
                return;
            _scene.Storage.Before = null;
            await _scene.SyncAsync(User, "s2", "a2", "c2");
        };

        Assert.Equal(PublishOutcome.Published, (await _scene.SyncAsync(User, "s1", "a1", "c1")).Outcome);

        Assert.Equal(["a1@s1", "a2@s2"], await _scene.AccountIdsAsync(User));
        Assert.DoesNotContain(_scene.Files, file => file.EndsWith("accounts.json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sync_without_connections_shows_that_there_are_no_accounts()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [], default);
        Assert.Equal(PublishOutcome.Published, (await _scene.PublishAsync(User, "s1", [])).Outcome);
        Assert.Equal(PublishOutcome.AlreadyPublished, (await _scene.PublishAsync(User, "s1", [])).Outcome);
        Assert.Empty((await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts);
    }

    [Fact]
    public async Task A_segment_that_was_not_completed_does_not_exist()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        await using (var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("s1"), new("a1"), 0, default))
        {
            writer.Append("{}"u8);
            await writer.CompletePageAsync(default);
        }

        Assert.DoesNotContain(_scene.Files, f => f.Contains("a1", StringComparison.Ordinal));
        await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.PublishAsync(User, "s1", new() { ["a1"] = 1 }, "c1"));
    }

    [Fact]
    public async Task Of_two_attempts_at_a_segment_the_one_that_is_named_is_published_and_the_other_removed()
    {
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction));
        await _scene.WriteSegmentAsync(User, "s1", "a1", 0, [["{\"id\":\"again\"}"]]);
        await _scene.PublishAsync(User, "s1", segments, "c1");

        Assert.Equal(["{\"id\":\"again\"}"], await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
        Assert.Single(_scene.Files, f => f.EndsWith(".pages", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_duplicate_that_completes_after_the_publication_spoils_nothing_and_leaves_nothing()
    {
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction));
        await using var late = await _scene.Store.Staging.BeginSegmentAsync(User, new("s1"), new("a1"), 0, default);
        late.Append("{\"id\":\"late\"}"u8);
        await _scene.PublishAsync(User, "s1", segments, "c1");
        var published = _scene.Files.Where(f => !f.Contains('~', StringComparison.Ordinal));

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => late.CompleteAsync(default));

        Assert.Equal(OneTransaction, await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
        Assert.Equal(published, _scene.Files);
    }

    [Fact]
    public async Task A_sync_that_runs_once_more_after_its_history_was_purged_leaves_its_first_snapshot_alone_until_it_publishes()
    {
        var first = SnapshotRun.For(new("sync-1"), _scene.Clock.GetUtcNow().UtcDateTime);
        await _scene.SyncAsync(User, first, "a1", "c1");
        _scene.Clock.Advance(TimeSpan.FromDays(31));
        var startedAt = _scene.Clock.GetUtcNow();
        var again = SnapshotRun.For(new("sync-1"), startedAt.UtcDateTime);
        var segments = await _scene.StageAsync(User, again, ("a1", "c1", OneTransaction));

        await _scene.SyncAsync(User, "another", "a2", "c2");
        Assert.NotEqual(OneTransaction, await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
        Assert.Equal(PublishOutcome.Published, (await _scene.PublishAsync(User, again, startedAt, segments, "c1")).Outcome);

        Assert.Equal(OneTransaction, await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
        Assert.Equal("sync-1", SnapshotRun.SyncIdOf((await _scene.Store.Reader.GetCurrentAsync(User, default))!.RunId));
    }

    [Fact]
    public async Task A_publication_leaves_alone_what_another_sync_is_still_staging()
    {
        var running = await _scene.StageAsync(User, "running", ("a2", "c2", OneTransaction));
        await using var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("running"), new("a2"), 1, default);
        writer.Append("{\"id\":\"later\"}"u8);
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.SyncAsync(User, "s2", "a1", "c1");
        await _scene.CompleteAsync(writer, "running", "a2", 1);

        running["a2"] = 2;
        await _scene.PublishAsync(User, "running", running, "c2");
        Assert.Equal(2, (await _scene.ReadAllAsync(User, "a2", new TransactionQuery())).Length);
    }

    [Theory]
    [InlineData("publish")]
    [InlineData("remove-unreferenced")]
    [InlineData("same-publish")]
    public async Task What_a_crash_between_the_write_and_the_clean_up_left_goes_with_the_next_chance(string chance)
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        var startedAt = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "s2", ("a1", "c1", OneTransaction), ("x", "c9", OneTransaction));
        _scene.Storage.Before = (step, _) => step is "delete" or "delete-prefix" ? throw new IOException("crash") : Task.CompletedTask;
        await Assert.ThrowsAsync<IOException>(() => _scene.PublishAsync(User, "s2", startedAt, segments, "c1"));
        _scene.Storage.Before = null;
        Assert.Equal(["a1@s2"], await _scene.AccountIdsAsync(User));
        Assert.Contains("user-1/syncs/s1/a1/000000.pages", _scene.Files);
        Assert.Contains("user-1/syncs/s2/accounts.json", _scene.Files);
        Assert.Contains("user-1/syncs/s2/x/000000.pages", _scene.Files);

        _scene.Clock.Advance(SnapshotRemoval.PublishingTime);
        if (chance == "publish")
            await _scene.SyncAsync(User, "s3", "a3", "c3");
        else if (chance == "same-publish")
            await _scene.PublishAsync(User, "s2", startedAt, segments, "c1");
        else
            await _scene.Store.Removal.RemoveLeftoversAsync(User, default);

        Assert.DoesNotContain(_scene.Files, f => f.Contains("s1", StringComparison.Ordinal));
        Assert.DoesNotContain("user-1/syncs/s2/accounts.json", _scene.Files);
        Assert.DoesNotContain("user-1/syncs/s2/x", _scene.Files);
        Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
    }

    [Fact]
    public async Task What_a_sync_left_that_never_published_goes_after_the_grace()
    {
        await _scene.StageAsync(User, "dead", ("a1", "c1", OneTransaction));
        _scene.Clock.Advance(TimeSpan.FromDays(8) - TimeSpan.FromHours(1));
        Assert.Equal(_scene.Clock.GetUtcNow() + TimeSpan.FromHours(1), await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.NotEmpty(_scene.Files);
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.Empty(_scene.Files);
    }

    [Fact]
    public async Task A_discarded_sync_leaves_nothing_and_cannot_go_on()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        var before = _scene.Files;
        var segments = await _scene.StageAsync(User, "s2", ("a1", "c1", OneTransaction));
        await using var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("s2"), new("a1"), 1, default);
        writer.Append("{}"u8);

        await _scene.Store.Removal.DiscardAsync(User, new("s2"), default);

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => writer.CompleteAsync(default));
        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.Store.Staging.BeginSegmentAsync(User, new("s2"), new("a1"), 0, default));
        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.PublishAsync(User, "s2", segments, "c1"));
        await writer.DisposeAsync();
        Assert.Equal(before, _scene.Files);
    }

    [Fact]
    public async Task Discarding_a_published_sync_takes_nothing_from_the_snapshot()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.Store.Removal.DiscardAsync(User, new("s1"), default);
        Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
    }

    [Theory]
    [InlineData("put", true)]
    [InlineData("put", false)]
    public async Task A_sync_that_is_discarded_while_it_publishes_is_taken_back(string step, bool hadSnapshot)
    {
        if (hadSnapshot)
            await _scene.SyncAsync(User, "s1", "a1", "c1");
        var before = _scene.Files;
        var segments = await _scene.StageAsync(User, "s2", ("a1", "c1", OneTransaction));
        _scene.Storage.Before = async (s, name) =>
        {
            if (s != step || !name.EndsWith("current.json", StringComparison.Ordinal))
                return;
            _scene.Storage.Before = null;
            await _scene.Store.Removal.DiscardAsync(User, new("s2"), default);
        };

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.PublishAsync(User, "s2", segments, "c1"));

        Assert.Equal(before, _scene.Files);
        Assert.Equal(hadSnapshot ? ["a1@s1"] : [], await _scene.AccountIdsAsync(User));
        if (hadSnapshot)
            Assert.Single(await _scene.ReadAllAsync(User, "a1", new TransactionQuery()));
    }

    [Fact]
    public async Task A_removed_connection_is_gone_at_once_and_a_running_sync_does_not_bring_it_back()
    {
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.SyncAsync(User, "s2", "a2", "c2");
        var startedAt = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "s3", ("a1", "c1", OneTransaction), ("a2", "c2", OneTransaction));
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.True(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));
        Assert.False(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));
        Assert.Equal(["a2@s2"], await _scene.AccountIdsAsync(User));
        Assert.DoesNotContain("user-1/syncs/s1", _scene.Files);

        await _scene.PublishAsync(User, "s3", startedAt, segments, "c1", "c2");
        Assert.Equal(["a2@s3"], await _scene.AccountIdsAsync(User));
        Assert.DoesNotContain("user-1/syncs/s3/a1", _scene.Files);

        // Connected again after the removal, it counts.
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        await _scene.SyncAsync(User, "s4", "a1", "c1");
        Assert.Equal(["a1@s4", "a2@s3"], await _scene.AccountIdsAsync(User));
    }

    [Fact]
    public async Task A_connection_removed_before_the_first_snapshot_does_not_appear_in_it()
    {
        var startedAt = _scene.Clock.GetUtcNow();
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", OneTransaction));
        await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default);
        Assert.Null(await _scene.Store.Reader.GetCurrentAsync(User, default));

        Assert.Equal(PublishOutcome.Superseded, (await _scene.PublishAsync(User, "s1", startedAt, segments, "c1")).Outcome);
        Assert.Null(await _scene.Store.Reader.GetCurrentAsync(User, default));
    }

    [Fact]
    public async Task Removing_a_user_leaves_no_trace_and_touches_no_other()
    {
        await _scene.SyncAsync(new("user-2"), "s1", "a1", "c1");
        var others = _scene.Files;
        await _scene.SyncAsync(User, "s1", "a1", "c1");
        await _scene.StageAsync(User, "s2", ("a1", "c1", OneTransaction));
        await using var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("s2"), new("a1"), 1, default);
        writer.Append("{}"u8);
        await writer.CompletePageAsync(default);

        Assert.True(await _scene.Store.Removal.RemoveUserAsync(User, default));

        Assert.Equal(others, _scene.Files);
        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => writer.CompleteAsync(default));
        await writer.DisposeAsync();
        Assert.Equal(others, _scene.Files);
        await _scene.Store.Removal.RemoveUserAsync(User, default);
    }

    [Theory]
    [InlineData("put", true)]
    [InlineData("put", false)]
    [InlineData("exists", true)]
    [InlineData("exists", false)]
    public async Task A_user_removed_while_a_sync_publishes_stays_removed(string step, bool hadSnapshot)
    {
        if (hadSnapshot)
            await _scene.SyncAsync(User, "s1", "a1", "c1");
        var segments = await _scene.StageAsync(User, "s2", ("a1", "c1", OneTransaction));
        _scene.Storage.Before = async (s, _) =>
        {
            if (s != step)
                return;
            _scene.Storage.Before = null;
            await _scene.Store.Removal.RemoveUserAsync(User, default);
        };

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.PublishAsync(User, "s2", segments, "c1"));

        Assert.Empty(_scene.Files);
    }

    [Fact]
    public async Task A_segment_that_is_completed_just_after_its_user_was_removed_takes_itself_back()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        await using var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("s1"), new("a1"), 0, default);
        writer.Append("{}"u8);
        _scene.Storage.Before = async (step, _) =>
        {
            if (step != "exists")
                return;
            _scene.Storage.Before = null;
            // All but the segment, as if it had appeared right after the removal's look.
            await _scene.Storage.DeleteAsync("user-1/syncs/s1/accounts.json", default);
        };

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => writer.CompleteAsync(default));
        Assert.Empty(_scene.Files);
    }
}
