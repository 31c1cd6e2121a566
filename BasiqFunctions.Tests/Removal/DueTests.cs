using System.Collections.Concurrent;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Removal;

/// <summary>What is due, and the daily pass that does it.</summary>
[Trait("Category", "Unit")]
public sealed class DueTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly ConcurrentQueue<string> _asked = [];
    private readonly ConcurrentDictionary<string, string> _consents = new(StringComparer.Ordinal);
    private Action<string> _meets = _ => { };
    private UsersScene _scene = null!;

    public DueTests() => Start(new() { ["Due:CheckEvery"] = "30.00:00:00" });

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(100)]
    [InlineData(300)]
    public async Task A_pass_costs_what_is_due_and_nothing_of_anybody_else_is_touched(int users)
    {
        string[] all = [.. Enumerable.Range(0, users).Select(i => $"u{i:D4}")];
        var due = all[..(users / 100)];
        await _scene.Get<DueWork>().BeginAsync(default);
        await PublishAsync(all[due.Length..]);
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(users - due.Length, 0, 0), await PassAsync());
        await PublishAsync(due);
        _scene.Clock.Advance(Day);
        _asked.Clear();

        Assert.Equal(new RetentionPass(due.Length, 0, 0), await PassAsync());

        string[] asked = [.. _asked];
        foreach (var user in all)
        {
            var mine = asked.Where(what => what.Contains(user, StringComparison.Ordinal)).ToArray();
            var ofBasiq = mine.Count(what => what.StartsWith("Basiq", StringComparison.Ordinal));
            Assert.True(
                due.Contains(user) ? ofBasiq is > 0 and <= 2 && mine.Length - ofBasiq <= 10 : mine.Length == 0, string.Join(Environment.NewLine, mine));
        }

        // What it costs to look what is due: a list of each shard, twice where there is something, and a few more.
        Assert.InRange(asked.Count(what => !all.Any(user => what.Contains(user, StringComparison.Ordinal))), DueWork.Shards, DueWork.Shards + 20);
    }

    [Fact]
    public async Task A_removed_user_costs_a_look_at_each_place_where_something_may_be_kept_and_no_more()
    {
        await _scene.Get<DueWork>().BeginAsync(default);
        await PublishAsync("u1");
        _consents["u1"] = """{"id":"x","status":"revoked"}""";
        _scene.Clock.Advance(Day);
        _asked.Clear();

        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());

        // Whatever is about the user, and the receipt's end, whose row names nobody.
        var asked = _asked.Where(what => what.Contains("u1", StringComparison.Ordinal) || what.Contains(DueKinds.RecordEnd, StringComparison.Ordinal));
        Assert.InRange(asked.Count(), 1, 21);
    }

    [Fact]
    public async Task A_damaged_note_of_when_a_record_ends_goes_and_keeps_nothing_waiting()
    {
        var due = _scene.Get<DueWork>();
        await due.SetRecordEndAsync("Receipts", new TableRecord("p", "r", []), _scene.Clock.GetUtcNow(), default);
        var items = await AllAsync();
        var item = Assert.Single(items);
        var damaged = item with { Record = item.Record with { Damage = new StoreUnavailableException("records", "damaged") } };

        Assert.Equal(new RetentionPass(0, 0, 0), await _scene.Get<DueLooks>().DoAsync(_scene.Durable.Client, damaged, _ => { }, default));

        Assert.Empty(await AllAsync());
        Assert.Contains("A damaged note of when a record ends", _scene.Logs.Text, StringComparison.Ordinal);

        async Task<IReadOnlyList<DueItem>> AllAsync()
        {
            List<DueItem> all = [];
            foreach (var day in await due.ListDaysAsync("99991231", default))
            {
                for (var shard = 0; shard < DueWork.Shards; shard++)
                    all.AddRange(await due.ListAsync(day, shard, 10, default));
            }

            return all;
        }
    }

    [Fact]
    public async Task A_damaged_note_of_an_absence_is_made_anew()
    {
        var table = new Mock<IRecordTable>();
        var damaged = new TableRecord("absent", "u1", []) { ETag = "1", Damage = new StoreUnavailableException("records", "damaged") };
        table.Setup(t => t.ListAsync("absent", It.IsAny<int>(), null, default)).ReturnsAsync([damaged]);
        table.Setup(t => t.FindAsync("absent", "u1", default)).ReturnsAsync(damaged);
        table.Setup(t => t.TryReplaceAsync(It.Is<TableRecord>(record => record.ETag == "1" && record.Damage == null), default)).ReturnsAsync((TableRecord record, CancellationToken _) => record);

        var absence = Assert.Single(await new UserAbsences(table.Object, _scene.Clock).ListAsync(default));

        Assert.Equal((new UserId("u1"), _scene.Clock.GetUtcNow()), (absence.UserId, absence.Since));
        table.Verify(t => t.TryReplaceAsync(It.IsAny<TableRecord>(), default), Times.Once);
    }

    [Fact]
    public async Task A_receipt_is_found_by_its_id_however_many_came_after_it()
    {
        var receipts = _scene.Get<DeletionReceipts>();
        for (var i = 0; i <= DeletionReceipts.MaxListed; i++)
        {
            await receipts.AddAsync(
                new DeletionReceipt($"receipt-{i}", new("u1"), DeletionReason.Retention, null, new($"c{i}"), 1, 1, 1, 0, _scene.Clock.GetUtcNow(), _scene.Clock.GetUtcNow(), 0), default);
            _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("c0", (await receipts.FindAsync(new("u1"), "receipt-0", default))?.ConnectionId);
        Assert.Null(await receipts.FindAsync(new("u1"), "0", default));
    }

    [Fact]
    public async Task A_consent_whose_end_is_known_is_looked_at_when_that_is_to_be_told_and_when_it_ends()
    {
        _consents["u1"] = """{"id":"x","status":"active","expiryDate":"2024-06-11T18:00:00Z"}""";
        await PublishAsync("u1");
        for (var day = 2; day <= 11; day++)
        {
            _scene.Clock.Advance(Day);
            // On the second day, since it is new; 7 days and 1 day before the end, to tell of it; and two days later, if that was lost.
            Assert.Equal(new RetentionPass(day is 2 or 5 or 7 or 11 ? 1 : 0, 0, 0), await PassAsync());
        }

        _consents["u1"] = """{"id":"x","status":"expired","expiryDate":"2024-06-11T18:00:00Z"}""";
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());
        Assert.Empty(await _scene.UsersAsync());
        Assert.Equal(DeletionReason.ConsentExpired, Assert.Single(await ReceiptsAsync(new("u1"))).Reason);

        // Nothing of the user is due any more.
        _scene.Clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal(new RetentionPass(0, 0, 0), await PassAsync());
    }

    [Fact]
    public void What_a_look_told_whose_host_died_then_a_second_look_tells_as_the_same_message()
    {
        var consent = Consent.Parse("""{"id":"x","status":"active","expiryDate":"2024-07-11T18:00:00Z"}""");
        var first = new DateTimeOffset(2024, 6, 12, 2, 30, 0, TimeSpan.Zero);

        var second = ConsentEnding.After(first, consent).Min();

        Assert.Equal(new DateTimeOffset(2024, 6, 13, 18, 0, 0, TimeSpan.Zero), second);
        Assert.Equal(ConsentEnding.At(first, new("u1"), consent)!.MessageId, ConsentEnding.At(second + Day, new("u1"), consent)!.MessageId);
    }

    [Fact]
    public async Task That_a_consent_ends_is_told_once_thirty_seven_and_one_days_before()
    {
        _consents["u1"] = """{"id":"x","status":"active","expiryDate":"2024-07-11T18:00:00Z"}""";
        await PublishAsync("u1");
        await _scene.Get<NotificationSubscriptions>().SetAsync(
            "default", new NotificationSubscriptionRequest("https://203.0.114.1/", ["consent.ending"], null), default);
        List<string> told = [];
        HashSet<string> messages = [];
        for (var day = 2; day <= 41; day++)
        {
            _scene.Clock.Advance(Day);
            await PassAsync();

            // Deliveries are listed for two weeks.
            foreach (var delivery in (await _scene.Get<DeliveryQueues>().ListAsync("default", null, null, 100, default)).Deliveries)
            {
                if (messages.Add(delivery.MessageId))
                    told.Add($"{_scene.Clock.GetUtcNow():MM-dd}");
            }
        }

        Assert.Equal(["06-12", "07-05", "07-11"], told);
    }

    [Fact]
    public async Task Days_that_were_missed_are_taken_up_and_what_fails_is_due_again_on_the_next_day()
    {
        await PublishAsync("u1");
        _scene.Clock.Advance(Day);
        await PublishAsync("u2");
        _scene.Clock.Advance(TimeSpan.FromDays(10));
        _scene.Basiq.Setup(b => b.ListConsentsAsync(new("u2"), It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable));

        Assert.Equal(new RetentionPass(2, 0, 1), await PassAsync());
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(1, 0, 1), await PassAsync());
    }

    [Fact]
    public async Task A_date_that_comes_earlier_counts_and_one_that_comes_later_waits_for_its_turn()
    {
        var due = _scene.Get<DueWork>();
        var now = _scene.Clock.GetUtcNow();
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(9)));
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(5)));
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(7)));
        Assert.Equal(["20240607"], await DaysAsync());

        // Once done, nothing is left; set again, it is due again.
        await due.DoneAsync(Assert.Single(await DueOnAsync("20240607")), default);
        Assert.Empty(await DaysAsync());
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(7)));
        Assert.Equal(["20240609"], await DaysAsync());

        // Who moves what another has moved meanwhile leaves it there.
        var item = Assert.Single(await DueOnAsync("20240609"));
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(2)));
        await due.MoveAsync(item, now + TimeSpan.FromDays(20), default);
        Assert.Equal(["20240604"], await DaysAsync());
        await due.RemoveUserAsync(new("u1"), default);
        Assert.Empty(await DaysAsync());
    }

    [Fact]
    public async Task Of_a_user_who_is_removed_while_it_is_written_down_that_they_are_due_nothing_is_left()
    {
        await PublishAsync("u1");
        await PublishAsync("u2");
        await _scene.Get<DueWork>().RemoveUserAsync(new("u1"), default);
        await _scene.Get<DueWork>().RemoveUserAsync(new("u2"), default);
        _meets = asked =>
        {
            if (asked.Contains("u1", StringComparison.Ordinal) && Directory.Exists(_scene.SnapshotFolderOf("u1")))
                Directory.Delete(_scene.SnapshotFolderOf("u1"), recursive: true);
        };

        Assert.Null(await ActivatorUtilities.CreateInstance<DueActivities>(_scene.Services).SeedDue(new DueSeed(null), default));

        Assert.NotEmpty(await DaysAsync());
        foreach (var day in await _scene.Get<DueWork>().ListDaysAsync("99991231", default))
            Assert.All(await DueOnAsync(day), item => Assert.Equal("u2", item.Subject));
    }

    [Fact]
    public async Task What_a_later_version_made_due_is_moved_together_with_the_note_of_it()
    {
        var due = _scene.Get<DueWork>();
        var now = _scene.Clock.GetUtcNow();
        await due.SetAsync(new("u1"), default, ("of-a-later-version", now + TimeSpan.FromDays(2)));
        await due.MoveAsync(Assert.Single(await DueOnAsync("20240604")), now + TimeSpan.FromDays(3), default);

        // The version that knows it does it, and may set it anew.
        await due.DoneAsync(Assert.Single(await DueOnAsync("20240605")), default);
        Assert.Empty(await DaysAsync());
        await due.SetAsync(new("u1"), default, ("of-a-later-version", now + TimeSpan.FromDays(5)));
        Assert.Equal(["20240607"], await DaysAsync());
    }

    [Theory]
    [InlineData("set", 1)]
    [InlineData("set", 2)]
    [InlineData("set", 3)]
    [InlineData("set", 4)]
    [InlineData("move", 1)]
    [InlineData("move", 2)]
    [InlineData("move", 3)]
    [InlineData("done", 1)]
    [InlineData("done", 2)]
    public async Task Whatever_change_died_half_way_nothing_is_left_of_a_user_who_is_removed(string what, int step)
    {
        var due = _scene.Get<DueWork>();
        var now = _scene.Clock.GetUtcNow();
        await due.SetAsync(new("other"), default, (DueKinds.Age, now + TimeSpan.FromDays(2)), (DueKinds.Age, now + TimeSpan.FromDays(20)));
        await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(9)), (DueKinds.Leftover, now + TimeSpan.FromDays(9)));
        var item = (await DueOnAsync("20240611")).Single(due => due.Kind == DueKinds.Age);
        var steps = 0;
        _meets = asked =>
        {
            if (!asked.StartsWith("Find", StringComparison.Ordinal) && ++steps > step)
                throw new IOException("the process is gone");
        };
        var change = what switch
        {
            "set" => due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(2))),
            "move" => due.MoveAsync(item, now + TimeSpan.FromDays(2), default),
            _ => due.DoneAsync(item, default),
        };
        await Record.ExceptionAsync(() => change);
        Assert.True(steps >= step);
        _meets = _ => { };

        // Whoever was interrupted, in a durable process, does it again.
        if (what is "set")
            await due.SetAsync(new("u1"), default, (DueKinds.Age, now + TimeSpan.FromDays(2)));
        await due.RemoveUserAsync(new("u1"), default);
        if (what is not "set")
        {
            // The row of the pass that was interrupted is in its list still, and the look at it finds nobody.
            foreach (var left in (await DueOnAsync("20240611")).Concat(await DueOnAsync("20240604")).Where(due => due.Subject == "u1"))
                await due.MoveAsync(left, now + TimeSpan.FromDays(1), default);
        }

        foreach (var day in await due.ListDaysAsync("99991231", default))
            Assert.All(await DueOnAsync(day), left => Assert.Equal("other", left.Subject));
        Assert.Equal(["20240604"], await DaysAsync());
    }

    [Fact]
    public async Task A_record_goes_on_the_day_after_its_end_unless_that_was_put_off_or_the_clock_is_not_confirmed()
    {
        var table = _scene.Services.GetRequiredKeyedService<IRecordTable>(ReceiptOptions.Section);
        var now = _scene.Clock.GetUtcNow();
        await table.TryAddAsync(new TableRecord("p", "gone", []) { ExpiresAt = now + Day }, default);
        await table.TryAddAsync(new TableRecord("p", "later", []) { ExpiresAt = now + Day }, default);
        await table.TryAddAsync(new TableRecord("p", "never", []), default);
        await table.PutAsync(new TableRecord("p", "later", []) { ExpiresAt = now + TimeSpan.FromDays(9) }, default);

        _scene.Clock.Advance(Day + Day);
        await _scene.PassAsync(TimeSpan.FromDays(370));
        Assert.Equal(["gone", "later", "never"], await RowsAsync());
        await PassAsync();
        Assert.Equal(["later", "never"], await RowsAsync());
        _scene.Clock.Advance(TimeSpan.FromDays(8));
        await PassAsync();
        Assert.Equal(["never"], await RowsAsync());
        Assert.Empty(await DaysAsync());

        async Task<string[]> RowsAsync() => [.. (await table.ListAsync("p", 10, null, default)).Select(record => record.Row)];
    }

    [Fact]
    public async Task What_a_sync_left_that_never_published_goes_when_its_grace_is_over()
    {
        await _scene.Get<DueWork>().BeginAsync(default);
        await _scene.Get<DueWork>().SetAsync(new("u1"), default, (DueKinds.Leftover, _scene.Clock.GetUtcNow() + TimeSpan.FromDays(8)));
        await _scene.Snapshots.Staging.StageAccountsAsync(new("u1"), new("dead"), ["""{"id":"a","connection":"c"}"""u8.ToArray()], default);
        _scene.Clock.Advance(TimeSpan.FromDays(8));
        await PassAsync();
        Assert.True(_scene.HasSnapshotFiles);

        _scene.Clock.Advance(Day);
        await PassAsync();
        Assert.False(_scene.HasSnapshotFiles);
        Assert.Empty(await DaysAsync());
    }

    [Fact]
    public async Task Whoever_was_there_before_there_were_dates_is_looked_at_on_the_day_after_the_first_pass()
    {
        var published = new SnapshotPublication(new("u1"), new("s"), _scene.Clock.GetUtcNow(), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>>());
        await _scene.Snapshots.Staging.StageAccountsAsync(new("u1"), new("s"), ["""{"id":"a","connection":"c1"}"""u8.ToArray()], default);
        await _scene.Snapshots.Publisher.PublishAsync(published, default);

        Assert.Equal(new RetentionPass(0, 0, 0), await PassAsync());
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(1, 0, 0), await PassAsync());
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(0, 0, 0), await PassAsync());
    }

    [Fact]
    public async Task Writing_down_who_was_there_before_goes_on_where_a_failure_stopped_it()
    {
        string[] users = [.. Enumerable.Range(0, FileSnapshotStorage.MostFolders + 2).Select(i => $"v{i:D5}")];
        foreach (var user in users)
            await _scene.Get<ISnapshotStorage>().TryPutAsync($"{user}/left", new byte[1], null, default);
        var fails = 1;
        _meets = what =>
        {
            if (what.StartsWith($"FindAsync user-{users[^1]} ", StringComparison.Ordinal) && Interlocked.Exchange(ref fails, 0) == 1)
                throw new IOException("storage is away");
        };
        _scene.Get<ClockCheck>().Note(_scene.Clock.GetUtcNow());
        await new StartDuePass(_scene.Clock).Run(new(), _scene.Durable.Client, default);
        await _scene.EndOfPassAsync(() => _scene.Clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal((1, 2), (Asked($"FindAsync user-{users[0]} "), Asked($"FindAsync user-{users[^1]} ")));
        var looked = await DueOnAsync("20240602");
        Assert.Equal(users, looked.Where(item => item.Kind == DueKinds.ConsentCheck).Select(item => item.Subject).Order());

        int Asked(string begin) => _asked.Count(what => what.StartsWith(begin, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Calls_to_Basiq_are_spread_over_the_hours_of_the_setting()
    {
        _scene.Dispose();
        Start(new() { ["Due:SpreadOver"] = "04:00:00" });
        string[] users = [.. Enumerable.Range(0, 40).Select(i => $"u{i:D2}")];
        await PublishAsync(users);
        _scene.Clock.Advance(Day);
        var begun = _scene.Clock.GetUtcNow();
        ConcurrentQueue<DateTimeOffset> calls = [];
        _scene.Basiq.Setup(b => b.ListConsentsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync(() =>
        {
            calls.Enqueue(_scene.Clock.GetUtcNow());
            return (IReadOnlyList<Consent>)[Consent.Parse("""{"id":"x","status":"active"}""")];
        });
        _scene.Get<ClockCheck>().Note(begun);
        await new StartDuePass(_scene.Clock).Run(new(), _scene.Durable.Client, default);

        var pass = await _scene.EndOfPassAsync(() => _scene.Clock.Advance(TimeSpan.FromMinutes(1)));

        Assert.Equal((40, 40), (pass!.Users, calls.Count));
        Assert.True(calls.Max() - begun >= TimeSpan.FromHours(3));
        Assert.InRange(calls.Count(at => at - begun < TimeSpan.FromHours(1)), 0, 20);
    }

    [Theory]
    [InlineData("Due:Table", "No-Table")]
    [InlineData("Due:CheckEvery", "00:30:00")]
    [InlineData("Due:SpreadOver", "1.00:00:00")]
    public void A_wrong_setting_stops_the_start(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        var thrown = Assert.Throws<OptionsValidationException>(() => scene.Get<IStartupValidator>().Validate());
        Assert.Contains(key, thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>The engine is ended in the middle of a change of what is stored, whichever it is, and another one goes on.</summary>
    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_pass_and_a_removal_that_die_in_one_of_their_steps_end_once_with_one_receipt(int change)
    {
        await PublishAsync("u1", "u2", "u3");
        _consents["u1"] = """{"id":"x","status":"revoked"}""";
        _scene.Clock.Advance(Day);
        _scene.Get<ClockCheck>().Note(_scene.Clock.GetUtcNow());
        using var death = new Death(change);
        _meets = death.Meet;
        await new StartDuePass(_scene.Clock).Run(new(), _scene.Durable.Client, default);
        Assert.True(await death.HasComeAsync());
        var restarting = _scene.RestartEngineAsync();
        await Task.Delay(50);
        death.Comes();

        // A step that waits for the removal gives up once its patience is over: by this clock.
        await _scene.PassTimeAsync(restarting);

        await _scene.EndOfPassAsync(() => _scene.Clock.Advance(TimeSpan.FromSeconds(1)));
        await _scene.EndOfRemovalAsync(new("u1"));

        var receipt = Assert.Single(await ReceiptsAsync(new("u1")));
        Assert.Equal((DeletionReason.ConsentRevoked, 1L), (receipt.Reason, receipt.Accounts));
        Assert.Equal(["u2", "u3"], (await _scene.UsersAsync()).Order());
        _scene.Clock.Advance(TimeSpan.FromDays(30));
        Assert.Equal(new RetentionPass(2, 0, 0), await PassAsync());
    }

    public static TheoryData<int> Changes() => [.. Enumerable.Range(1, 16)];

    private void Start(Dictionary<string, string?> settings)
    {
        _scene = new UsersScene(
            services =>
            {
                var files = (ISnapshotStorage)services.Last(s => s.ServiceType == typeof(ISnapshotStorage)).ImplementationInstance!;
                services.AddSingleton(Counting<ISnapshotStorage>.Before(files, Note));
                var tables = services.Last(s => s.ServiceType == typeof(IRecordTables)).ImplementationFactory!;
                services.AddSingleton<IRecordTables>(provider => new CountedTables((IRecordTables)tables(provider), Note));
            },
            settings);
        _scene.Basiq.Setup(b => b.ListConsentsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync((UserId userId, CancellationToken _) =>
        {
            _asked.Enqueue($"Basiq consents {userId}");
            return (IReadOnlyList<Consent>)[Consent.Parse(_consents.GetValueOrDefault(userId) ?? """{"id":"x","status":"active"}""")];
        });
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync((UserId userId, CancellationToken _) =>
        {
            _asked.Enqueue($"Basiq connections {userId}");
            return (IReadOnlyList<Connection>)[Connection.Parse("""{"id":"c1","status":"active"}""")];
        });
    }

    private void Note(string what)
    {
        _asked.Enqueue(what);
        _meets(what);
    }

    private async Task PublishAsync(params string[] users)
    {
        foreach (var user in users)
            await _scene.PublishAsync(new(user), "c1");
    }

    private Task<RetentionPass> PassAsync() => _scene.PassAsync(TimeSpan.Zero);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync(UserId userId) => _scene.Get<DeletionReceipts>().ListAsync(userId, default);

    private async Task<IReadOnlyList<DueItem>> DueOnAsync(string day)
    {
        List<DueItem> items = [];
        for (var shard = 0; shard < DueWork.Shards; shard++)
            items.AddRange(await _scene.Get<DueWork>().ListAsync(day, shard, 100, default));
        return items;
    }

    /// <summary>The days on which something is due.</summary>
    private async Task<string[]> DaysAsync()
    {
        List<string> days = [];
        foreach (var day in await _scene.Get<DueWork>().ListDaysAsync("99991231", default))
        {
            if ((await DueOnAsync(day)).Count > 0)
                days.Add(day);
        }

        return [.. days];
    }

    /// <summary>Comes in one of the changes of what is stored: whoever makes that waits, and then does not.</summary>
    private sealed class Death(int change) : IDisposable
    {
        private readonly SemaphoreSlim _reached = new(0);
        private readonly ManualResetEventSlim _comes = new();
        private int _changes;

        public void Meet(string what)
        {
            if (what.StartsWith("Basiq", StringComparison.Ordinal) || what.StartsWith("Find", StringComparison.Ordinal)
                || what.StartsWith("List", StringComparison.Ordinal) || what.StartsWith("Read", StringComparison.Ordinal))
                return;
            if (Interlocked.Increment(ref _changes) != change)
                return;
            _reached.Release();
            _comes.Wait();
            throw new OperationCanceledException();
        }

        public Task<bool> HasComeAsync() => _reached.WaitAsync(TimeSpan.FromSeconds(30));

        public void Comes() => _comes.Set();

        public void Dispose()
        {
            _reached.Dispose();
            _comes.Dispose();
        }
    }
}
