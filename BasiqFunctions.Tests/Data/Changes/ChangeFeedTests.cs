using System.Text;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Records;
using static BasiqFunctions.Tests.Data.Changes.ChangeScene;

namespace BasiqFunctions.Tests.Data.Changes;

[Trait("Category", "Unit")]
public sealed class ChangeFeedTests
{
    private readonly ChangeScene _scene = new();

    private DateOnly Today => _scene.Today;

    [Fact]
    public async Task A_reader_begins_with_everything_and_then_learns_of_each_change_once()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today), Posted("t3", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        Assert.Equal(["added a1", "added a1/t1", "added a1/t2", "added a1/t3"], follower.Told);

        follower.Told.Clear();
        await follower.CatchUpAsync();
        Assert.Empty(follower.Told);

        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t4", Today), Posted("t1", Today), Posted("t2", Today, "others")]));
        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t1", Today), Posted("t4", Today), Posted("t2", Today, "others")]));
        await _scene.SyncAsync("c2", (Account("b1", "c2"), [Posted("t1", Today)]), (Account("b2", "c2"), []), (Account("b3", "c2"), null));
        await follower.CatchUpAsync();
        Assert.Equal(
            [
                "modified a1", "added b1", "added b2", "added b3", "removed a1/t3", "added a1/t4", "modified a1/t2", "added b1/t1",
            ],
            follower.Told);
        await AssertInStepAsync(follower);

        // Nothing that changed, nothing to tell.
        follower.Told.Clear();
        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t2", Today, "others"), Posted("t1", Today), Posted("t4", Today)]));
        await follower.CatchUpAsync();
        Assert.Empty(follower.Told);
    }

    [Fact]
    public async Task Half_a_character_in_a_description_holds_up_neither_a_sync_nor_a_removal()
    {
        const string Half = "coffee \\ud83d";
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Pending("p1", Today, Half)]));
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today, Half), Pending("p2", Today, Half)]));
        Assert.Equal(2, Assert.Single((await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts).Transactions);

        Assert.True(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));

        Assert.Empty((await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(500)]
    public async Task Pages_of_any_length_tell_the_same_and_a_page_that_is_read_again_is_the_same(int limit)
    {
        var rows = Enumerable.Range(0, 400).Select(i => Posted($"t{i}", Today.AddDays(-i))).ToArray();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows[..300]));
        var follower = new Follower(_scene, limit);
        await follower.StepAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows[100..]));
        await _scene.SyncAsync("c2", (Account("b1", "c2"), rows[..10]));
        while (!follower.HasCaughtUp)
        {
            var again = follower.Remember();
            var told = follower.Told.Count;
            await follower.StepAsync();
            var first = follower.Told[told..];
            again();
            await follower.StepAsync();
            Assert.Equal(first, follower.Told[(told + first.Count)..]);
        }

        await follower.CatchUpAsync();
        await AssertInStepAsync(follower);
    }

    [Fact]
    public async Task A_long_part_is_several_blobs_and_is_read_and_forgotten_as_any_other()
    {
        string[] Rows(string prefix, string words) => [.. Enumerable.Range(0, 30_000).Select(i => Posted($"{prefix}{i}", Today.AddDays(-i / 100), words))];
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [.. Rows("gone", "words"), .. Rows("stays", "words")]));
        Follower[] followers = [new(_scene, 500), new(_scene, 500) { MayRemoveUnknown = true }];
        foreach (var follower in followers)
            await follower.CatchUpAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [.. Rows("stays", "other words"), .. Rows("new", "words")]));
        Assert.InRange(_scene.Blobs.Names.Count(IsPart), 4, 8);
        for (var i = 0; i < 40; i++)
            await followers[1].StepAsync();
        await followers[0].CatchUpAsync();
        await AssertInStepAsync(followers[0]);
        Assert.Equal(60_001 + 90_000, followers[0].Told.Count);

        await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default);
        foreach (var follower in followers)
        {
            await follower.CatchUpAsync();
            Assert.Empty(follower.Transactions);
        }

        // What the sync removed, what the removal did, and the account: ids alone.
        var lines = (await AllLinesAsync()).SelectMany(lines => lines).ToArray();
        Assert.Equal(30_000 + 60_000 + 1, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("{\"type\":\"removed\"", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_one_account_can_be_followed()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]), (Account("a2", "c1"), [Posted("t1", Today)]));
        var follower = new Follower(_scene, 1, "a2");
        await follower.CatchUpAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t1", Today), Posted("t2", Today)]), (Account("a2", "c1", "2.00"), [Posted("t3", Today)]));
        await _scene.SyncAsync("c2", (Account("b1", "c2"), [Posted("t1", Today)]));
        await follower.CatchUpAsync();
        Assert.Equal(["added a2", "added a2/t1", "modified a2", "removed a2/t1", "added a2/t3"], follower.Told);

        Assert.IsType<ChangesResult.AccountNotFound>(await _scene.Reader.ReadAsync(User, new ChangeQuery(1, null, new("a3")), default));
        Assert.IsType<ChangesResult.NoSnapshot>(await _scene.Reader.ReadAsync(new("user-2"), new ChangeQuery(1), default));
    }

    [Fact]
    public async Task Whoever_reads_the_whole_goes_on_with_it_whatever_is_published_meanwhile()
    {
        var rows = Enumerable.Range(0, 900).Select(i => Posted($"t{i}", Today.AddDays(-i / 10))).ToArray();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows[..600]), (Account("a2", "c1"), rows[600..]));
        var follower = new Follower(_scene, 50);
        for (var i = 0; i < 5; i++)
            await follower.StepAsync();

        // Two whole fetches later nothing that the reader still needs is part of the snapshot, and all of it is there.
        for (var i = 1; i <= 2; i++)
            await _scene.SyncAsync("c1", (Account("a1", "c1", $"{i}.50"), rows[(i * 50)..600]), (Account("a2", "c1"), rows[(600 + i)..]));
        await _scene.Store.Removal.RemoveLeftoversAsync(User, default);
        Assert.Contains(_scene.Blobs.Names, name => name.StartsWith("user-1/syncs/s1/a2/", StringComparison.Ordinal));
        await follower.CatchUpAsync();
        Assert.Equal(902, follower.Told.Count(told => told.StartsWith("added", StringComparison.Ordinal)));
        await AssertInStepAsync(follower);

        // A day after the last page nobody goes on, and what is not part of the snapshot goes.
        var slow = new Follower(_scene, 50);
        await slow.StepAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows[..10]), (Account("a2", "c1"), rows[..10]));
        _scene.Clock.Advance(TimeSpan.FromHours(20));
        Assert.True(await slow.StepAsync());
        _scene.Clock.Advance(TimeSpan.FromHours(20));
        Assert.True(await slow.StepAsync());
        Assert.Equal(_scene.Clock.GetUtcNow() + TimeSpan.FromDays(1), await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.Contains(_scene.Blobs.Names, name => name.StartsWith("user-1/syncs/s3/a1/", StringComparison.Ordinal));
        _scene.Clock.Advance(TimeSpan.FromHours(24));
        await _scene.Store.Removal.RemoveLeftoversAsync(User, default);
        Assert.DoesNotContain(_scene.Blobs.Names, name => name.StartsWith("user-1/reads/", StringComparison.Ordinal) || name.StartsWith("user-1/syncs/s3/a1/", StringComparison.Ordinal));
        Assert.False(await slow.StepAsync());
        await slow.CatchUpAsync();
        await AssertInStepAsync(slow);
    }

    [Fact]
    public async Task A_snapshot_that_is_replaced_while_the_first_page_is_read_is_not_taken_for_the_one_that_is_held()
    {
        var rows = Enumerable.Range(0, 300).Select(i => Posted($"t{i}", Today)).ToArray();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows));
        var follower = new Follower(_scene, 10);
        var isFirst = true;
        _scene.Storage.Before = async (step, name) =>
        {
            if (step == "put" && name.Contains("/reads/", StringComparison.Ordinal) && isFirst)
            {
                isFirst = false;
                await _scene.SyncAsync("c1", (Account("a1", "c1"), rows[150..]));
            }
        };
        await follower.CatchUpAsync();
        Assert.Equal(150, follower.Transactions.Count);
        await AssertInStepAsync(follower);
        Assert.False(isFirst);
    }

    [Fact]
    public async Task What_holds_a_read_is_removed_by_due_work_of_a_user_to_whom_nothing_happens()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]));
        await new Follower(_scene, 1).StepAsync();
        var days = await _scene.Due.ListDaysAsync("99999999", default);
        Assert.Equal([DueWork.DayOf(_scene.Clock.GetUtcNow() + TimeSpan.FromDays(1))], days);
        _scene.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Null(await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.DoesNotContain(_scene.Blobs.Names, name => name.Contains("/reads/", StringComparison.Ordinal));

        // Whoever gets all in one page needs none.
        await new Follower(_scene, 2).CatchUpAsync();
        Assert.DoesNotContain(_scene.Blobs.Names, name => name.Contains("/reads/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changes_are_kept_for_some_time_and_cursors_before_them_end_with_them()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]));
        var early = new Follower(_scene);
        await early.CatchUpAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]));
        var late = new Follower(_scene);
        await late.CatchUpAsync();
        var blob = Assert.Single(_scene.Blobs.Names, IsPart);

        _scene.Clock.Advance(TimeSpan.FromDays(89));
        Assert.Equal(_scene.Clock.GetUtcNow() + TimeSpan.FromDays(1), await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.Contains(blob, _scene.Blobs.Names);
        _scene.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Null(await _scene.Store.Removal.RemoveLeftoversAsync(User, default));
        Assert.DoesNotContain(_scene.Blobs.Names, IsPart);
        Assert.False(await early.StepAsync());
        await early.CatchUpAsync();
        await AssertInStepAsync(early);

        // Nothing went that this one has not read.
        Assert.True(await late.StepAsync());
        await AssertInStepAsync(late);

        // A publication drops them as well, and the numbers go on.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t2", Today)]));
        _scene.Clock.Advance(TimeSpan.FromDays(90));
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t3", Today)]));
        Assert.Single(_scene.Blobs.Names, IsPart);
        Assert.False(await late.StepAsync());
    }

    [Fact]
    public async Task A_connection_that_goes_leaves_ids_alone_and_every_reader_forgets_it()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today, "secret"), Posted("t2", Today, "secret")]));
        await _scene.SyncAsync("c2", (Account("b1", "c2"), [Posted("t1", Today)]));
        Follower[] followers = [new(_scene), new(_scene), new(_scene), new(_scene, 1)];
        foreach (var follower in followers)
            follower.MayRemoveUnknown = true;
        await followers[0].CatchUpAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t2", Today, "secret"), Posted("t3", Today, "secret")]));
        await followers[1].CatchUpAsync();
        await followers[3].StepAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1", "3.00"), [Posted("t3", Today, "another secret")]), (Account("a2", "c1"), [Posted("t9", Today, "secret")]));
        await followers[2].CatchUpAsync();

        Assert.True(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));

        // Of the connection's transactions and accounts no blob has more than ids, held reads or not.
        Assert.DoesNotContain(_scene.Blobs.Names, name => name.Contains("/a1/", StringComparison.Ordinal) || name.Contains("/a2/", StringComparison.Ordinal));
        foreach (var lines in await AllLinesAsync())
            Assert.DoesNotContain(lines, line => (line.Contains("\"a1\"", StringComparison.Ordinal) || line.Contains("\"a2\"", StringComparison.Ordinal)) && (line.Contains("account\":", StringComparison.Ordinal) || line.Contains("transaction\":", StringComparison.Ordinal)));
        foreach (var follower in followers)
        {
            follower.Told.Clear();
            await follower.CatchUpAsync();
            await AssertInStepAsync(follower);
            Assert.Equal(["b1"], follower.Accounts.Keys);
        }

        // Whoever had read up to the second sync is told what the third removed, and what the removal did.
        Assert.Equal(["removed a1", "removed a2", "removed a1/t2", "removed a1/t3", "removed a2/t9"], followers[1].Told);

        // It comes back, and goes with all that it had.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t5", Today)]));
        foreach (var follower in followers)
        {
            await follower.CatchUpAsync();
            await AssertInStepAsync(follower);
        }

        await _scene.Store.Removal.RemoveUserAsync(User, default);
        Assert.Empty(_scene.Blobs.Names);
        Assert.IsType<ChangesResult.NoSnapshot>(await _scene.Reader.ReadAsync(User, new ChangeQuery(1, followers[0].At), default));

        // What the removal left goes with the other changes, and a new feed knows no cursor of the old one.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]));
        Assert.False(await followers[0].StepAsync());
    }

    [Fact]
    public async Task A_reader_half_way_through_a_part_whose_connection_goes_is_told_what_it_has_to_forget()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today), Posted("t3", Today)]));
        var follower = new Follower(_scene, 1) { MayRemoveUnknown = true };
        await follower.CatchUpAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t3", Today), .. Enumerable.Range(10, 300).Select(i => Posted($"t{i}", Today))]));
        for (var i = 0; i < 5; i++)
            await follower.StepAsync();
        Assert.Equal(["added a1/t10", "added a1/t11", "added a1/t12"], follower.Told[^3..]);
        await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default);
        await follower.CatchUpAsync();
        Assert.Empty(follower.Transactions);
        Assert.Empty(follower.Accounts);
    }

    [Fact]
    public async Task An_account_that_is_made_anew_or_gone_leaves_the_readers_as_it_leaves_the_snapshot()
    {
        string Anew(string id, string connection) => Account(id, connection).Replace($"12-{id}", "12-same", StringComparison.Ordinal);
        await _scene.SyncAsync("c1", (Anew("a1", "c1"), [Posted("t1", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        await _scene.PublishAsync(
            await _scene.StageAsync((Anew("a2", "c2"), [Posted("t1", Today), Posted("t2", Today)]), (Account("a3", "c2"), [Posted("t3", Today)])),
            ["c2"],
            new AccountListing([new("c2")], [new("c1")], IsWhole: true));
        await follower.CatchUpAsync();
        Assert.Equal(["a2", "a3"], follower.Accounts.Keys.Order());
        await AssertInStepAsync(follower);

        // Missing once is not gone.
        _scene.Clock.Advance(TimeSpan.FromDays(1));
        await _scene.PublishAsync(
            await _scene.StageAsync((Anew("a2", "c2"), [Posted("t1", Today), Posted("t2", Today)])), ["c2"],
            new AccountListing([new("c2")], [], IsWhole: true) { ReadAt = _scene.Clock.GetUtcNow() });
        await follower.CatchUpAsync();
        Assert.Contains("a3", follower.Accounts.Keys);
        await _scene.PublishAsync(
            await _scene.StageAsync((Anew("a2", "c2"), [Posted("t1", Today.AddDays(-1)), Posted("t2", Today)])), ["c2"],
            new AccountListing([new("c2")], [], IsWhole: true) { ReadAt = _scene.Clock.GetUtcNow(), GoneAccounts = [new("a3")] });
        await follower.CatchUpAsync();
        Assert.Equal(["a2"], follower.Accounts.Keys);
        await AssertInStepAsync(follower);
    }

    [Fact]
    public async Task Of_two_publications_at_once_each_change_is_told_once()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]));
        await _scene.SyncAsync("c2", (Account("b1", "c2"), [Posted("t1", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        var one = await _scene.StageAsync((Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]));
        var races = 0;
        _scene.Storage.Before = async (step, name) =>
        {
            // The other one publishes after the first has written its part, and before it writes the manifest.
            if (step == "put" && name.EndsWith("current.json", StringComparison.Ordinal) && races++ == 0)
                await _scene.SyncAsync("c2", (Account("b1", "c2"), [Posted("t5", Today)]));
        };
        await _scene.PublishAsync(one, ["c1"]);
        follower.Told.Clear();
        await follower.CatchUpAsync();
        Assert.Equal(["removed b1/t1", "added b1/t5", "added a1/t2"], follower.Told);
        await AssertInStepAsync(follower);

        // The attempt that lost has left nothing.
        Assert.Single(_scene.Blobs.Names, name => IsPart(name) && name.Contains($"/{one}/", StringComparison.Ordinal));
        Assert.True(races > 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_around_the_manifest_loses_nothing_and_tells_nothing_twice(bool isAfter)
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        var syncId = await _scene.StageAsync((Account("a1", "c1"), [Posted("t2", Today)]));
        var startedAt = _scene.Clock.GetUtcNow();
        var dies = true;
        Task DieAsync(string step, string name) =>
            dies && step == "put" && name.EndsWith("current.json", StringComparison.Ordinal) ? throw new IOException("It died.") : Task.CompletedTask;
        if (isAfter)
            _scene.Storage.After = DieAsync;
        else
            _scene.Storage.Before = DieAsync;
        await Assert.ThrowsAsync<IOException>(() => _scene.PublishAsync(syncId, ["c1"], startedAt: startedAt));
        dies = false;
        await follower.CatchUpAsync();
        await _scene.PublishAsync(syncId, ["c1"], startedAt: startedAt);
        await follower.CatchUpAsync();
        Assert.Equal(["added a1", "added a1/t1", "removed a1/t1", "added a1/t2"], follower.Told);
        Assert.Single(_scene.Blobs.Names, IsPart);
    }

    [Fact]
    public async Task A_publication_that_is_taken_back_ends_the_cursors_that_may_have_seen_it()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today)]));
        await _scene.SyncAsync("c1", (Account("a1", "c1", "2.00"), [Posted("t1", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        var syncId = await _scene.StageAsync((Account("a1", "c1"), [Posted("t2", Today)]));
        var isOut = false;
        _scene.Storage.After = async (step, name) =>
        {
            if (step != "put" || !name.EndsWith("current.json", StringComparison.Ordinal) || isOut)
                return;
            isOut = true;
            await follower.CatchUpAsync();
            await _scene.Storage.DeleteAsync($"user-1/syncs/{syncId}/accounts.json", default);
        };
        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.PublishAsync(syncId, ["c1"]));
        Assert.Contains("a1/t2", follower.Transactions.Keys);

        // Others use the same numbers for something else.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t3", Today)]));
        Assert.False(await follower.StepAsync());
        await follower.CatchUpAsync();
        await AssertInStepAsync(follower);
    }

    [Fact]
    public async Task What_cannot_be_compared_since_it_is_damaged_begins_the_feed_anew()
    {
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        await SpoilAsync(_scene.Blobs.Names.Single(name => name.Contains("/s1/a1/", StringComparison.Ordinal)));
        Assert.Equal(PublishOutcome.Published, (await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t2", Today)]))).Outcome);
        Assert.False(await follower.StepAsync());
        await follower.CatchUpAsync();
        await AssertInStepAsync(follower);

        // A part that cannot be read has its readers begin again, who then need it no more.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t3", Today)]));
        await SpoilAsync(_scene.Blobs.Names.Single(IsPart));
        Assert.IsType<ChangesResult.Expired>(await _scene.Reader.ReadAsync(User, new ChangeQuery(1, follower.At), default));
        Assert.False(await follower.StepAsync());
        await follower.CatchUpAsync();
        await AssertInStepAsync(follower);

        // The removal of a connection whose files are damaged takes place all the same.
        await SpoilAsync(_scene.Blobs.Names.Single(name => name.Contains("/a1/", StringComparison.Ordinal)));
        Assert.True(await _scene.Store.Removal.RemoveConnectionAsync(User, new("c1"), null, default));
        Assert.DoesNotContain(_scene.Blobs.Names, name => name.EndsWith(".pages", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_manifest_of_an_earlier_version_begins_a_feed_that_misses_nothing()
    {
        // The first publication says nothing of a feed, as those of an earlier version.
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]));
        Assert.DoesNotContain("feed", Encoding.UTF8.GetString((await _scene.Storage.ReadAsync("user-1/current.json", default))!.Content.Span), StringComparison.Ordinal);
        var follower = new Follower(_scene, 1);
        await follower.StepAsync();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Posted("t2", Today), Posted("t3", Today)]));
        await follower.CatchUpAsync();
        Assert.Equal(["added a1", "added a1/t1", "added a1/t2", "removed a1/t1", "added a1/t3"], follower.Told);
    }

    [Fact]
    public async Task Of_a_pending_transaction_that_is_posted_both_sides_are_told_and_linked_where_that_is_certain()
    {
        var day = Today.AddDays(-3);
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Pending("p1", day, "PENDING - Coles 0441 Sydney", "-10.50"), Pending("p2", day, "tea", "-3"), Pending("p3", day, "tea", "-3")]));
        var follower = new Follower(_scene);
        await follower.CatchUpAsync();
        follower.Told.Clear();
        var published = await _scene.SyncAsync(
            "c1", (Account("a1", "c1"), [Posted("t1", Today, "COLES SYDNEY NSW", "-10.5"), Posted("t2", Today, "tea", "-3.00"), Pending("p4", day, "tea", "-3.00")]));
        await follower.CatchUpAsync();
        Assert.Equal(["removed a1/p1", "removed a1/p2", "removed a1/p3", "added a1/t1 from p1", "added a1/t2", "added a1/p4"], follower.Told);
        Assert.Equal((1, 1), (published.Linked, published.Ambiguous));
    }

    [Fact]
    public async Task A_fetch_in_part_tells_what_is_new_and_reads_no_more_than_what_it_replaces()
    {
        var rows = Enumerable.Range(0, 1_000).Select(i => Posted($"t{i}", Today.AddDays(-i))).ToArray();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), [Pending("p1", Today), .. rows]));
        var follower = new Follower(_scene, 500);
        await follower.CatchUpAsync();
        follower.Told.Clear();
        _scene.Clock.Advance(TimeSpan.FromDays(1));

        var syncId = await _scene.StageAsync((Account("a1", "c1"), [Posted("t1000", Today), .. rows[..15]]));
        var kept = Assert.Single(await _scene.Store.Staging.PlanAsync(User, new(syncId), [(new("a1"), Encoding.UTF8.GetBytes(Account("a1", "c1")))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), false), default)).Kept!;
        var pending = await _scene.WriteSegmentAsync(syncId, "a1", SnapshotPaths.PendingNumber, [Pending("p2", Today)]);
        var read = _scene.Storage.BytesRead;
        await _scene.PublishAsync(syncId, ["c1"], spans: new() { [new("a1")] = new FetchedSpan(kept, 1, pending, IsUnchanged: false) });
        Assert.InRange(_scene.Storage.BytesRead - read, 1, 60_000);
        await follower.CatchUpAsync();
        Assert.Equal(["removed a1/p1", "added a1/p2", "added a1/t1000 from p1"], follower.Told);
        await AssertInStepAsync(follower);
    }

    [Fact]
    public async Task A_transaction_that_was_posted_under_its_id_while_it_was_fetched_as_pending_is_fetched_once_more()
    {
        var rows = Enumerable.Range(0, 40).Select(i => Posted($"t{i}", Today.AddDays(-i))).ToArray();
        await _scene.SyncAsync("c1", (Account("a1", "c1"), rows));
        var syncId = await _scene.StageAsync((Account("a1", "c1"), [Posted("x", Today), .. rows[..15]]));
        var kept = Assert.Single(await _scene.Store.Staging.PlanAsync(User, new(syncId), [(new("a1"), Encoding.UTF8.GetBytes(Account("a1", "c1")))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), false), default)).Kept!;
        foreach (var (id, day, isThere) in new[] { ("x", Today, true), ("t39", Today.AddDays(-40), true), ("y", Today.AddDays(-40), false) })
        {
            var pending = await _scene.WriteSegmentAsync(syncId, "a1", SnapshotPaths.PendingNumber, [Pending(id, day)]);
            var published = await _scene.PublishAsync(syncId, ["c1"], spans: new() { [new("a1")] = new FetchedSpan(kept, 1, pending, IsUnchanged: false) });
            Assert.Equal(isThere ? PublishOutcome.Outdated : PublishOutcome.Published, published.Outcome);
        }
    }

    private static bool IsPart(string name) => name.Contains("/changes-", StringComparison.Ordinal);

    private async Task AssertInStepAsync(Follower follower)
    {
        var (transactions, accounts) = await _scene.ReadSnapshotAsync();
        Assert.Equal(transactions.OrderBy(t => t.Key, StringComparer.Ordinal), follower.Transactions.OrderBy(t => t.Key, StringComparer.Ordinal));
        Assert.Equal(accounts.OrderBy(a => a.Key, StringComparer.Ordinal), follower.Accounts.OrderBy(a => a.Key, StringComparer.Ordinal));
    }

    private async Task SpoilAsync(string name)
    {
        var blob = (await _scene.Storage.ReadAsync(name, default))!;
        var content = blob.Content.ToArray();
        content[content.Length / 4] ^= 1;
        Assert.NotNull(await _scene.Storage.TryPutAsync(name, content, blob.ETag, default));
    }

    /// <summary>The lines of every blob of pages.</summary>
    private async Task<List<List<string>>> AllLinesAsync()
    {
        var reader = new SegmentReader(_scene.Storage);
        List<List<string>> all = [];
        foreach (var name in _scene.Blobs.Names.Where(name => name.EndsWith(".pages", StringComparison.Ordinal)))
        {
            var entry = await reader.ReadEntryAsync(name, 0, "a", (await _scene.Storage.ReadAsync(name, default))!.Content.Length, default);
            List<string> lines = [];
            foreach (var page in (await reader.ReadIndexAsync(name, entry, default)).Pages)
            {
                using var read = await reader.ReadPageAsync(name, page, default);
                lines.AddRange(read.Lines().Select(range => Encoding.UTF8.GetString(read.Bytes[range])));
            }

            all.Add(lines);
        }

        return all;
    }
}
