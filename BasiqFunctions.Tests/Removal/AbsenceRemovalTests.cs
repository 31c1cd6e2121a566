using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Removal;

/// <summary>Users of whom Basiq has nothing, though nobody told of a deletion.</summary>
[Trait("Category", "Unit")]
public sealed class AbsenceRemovalTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);
    private readonly HashSet<string> _empty = new(StringComparer.Ordinal);
    private UsersScene _scene = new();

    public AbsenceRemovalTests() => Answer();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_user_whom_Basiq_does_not_know_on_two_days_goes_while_it_knows_another()
    {
        await PublishAsync(2);
        _unknown.Add("u00");

        Assert.Equal(new RetentionPass(2, 0, 0, Absent: 1), await PassAsync());
        Assert.Empty(await ReceiptsAsync(new("u00")));
        Assert.Empty(await HeldAsync());
        _scene.Clock.Advance(Day);
        Assert.Equal(new RetentionPass(2, 1, 0), await PassAsync());

        Assert.Equal(["u01"], await _scene.UsersAsync());
        Assert.Equal((DeletionReason.UserDeleted, 1L), Assert.Single((await ReceiptsAsync(new("u00"))).Select(r => (r.Reason, r.Accounts))));
        Assert.Empty(await _scene.Get<UserAbsences>().ListAsync(default));
    }

    [Fact]
    public async Task A_user_of_whom_Basiq_lists_nothing_on_two_days_goes_too_and_was_not_deleted()
    {
        await PublishAsync(2);
        _empty.Add("u00");
        await PassAsync();
        _scene.Clock.Advance(Day);

        Assert.Equal(1, (await PassAsync()).Removed);

        Assert.Equal(DeletionReason.ConsentRevoked, Assert.Single(await ReceiptsAsync(new("u00"))).Reason);
    }

    [Fact]
    public async Task Two_looks_on_one_day_are_one()
    {
        await PublishAsync(2);
        _unknown.Add("u00");
        await PassAsync();
        _scene.Clock.Advance(TimeSpan.FromHours(20) - TimeSpan.FromSeconds(1));
        Assert.Equal(0, (await PassAsync()).Removed);
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await PassAsync()).Removed);
    }

    [Fact]
    public async Task Whoever_was_there_in_between_or_was_missed_otherwise_is_missed_anew()
    {
        await PublishAsync(3);
        _unknown.UnionWith(["u00", "u01"]);
        await PassAsync();
        _scene.Clock.Advance(Day);
        _unknown.Clear();
        _empty.Add("u01");
        await PassAsync();
        _scene.Clock.Advance(Day);
        _unknown.Add("u00");

        Assert.Equal(new RetentionPass(3, 1, 0, Absent: 1), await PassAsync());

        Assert.Empty(await ReceiptsAsync(new("u00")));
        Assert.Equal(DeletionReason.ConsentRevoked, Assert.Single(await ReceiptsAsync(new("u01"))).Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task While_Basiq_knows_nobody_nobody_goes_however_few_they_are_and_somebody_is_told(int users)
    {
        await PublishAsync(users);
        _unknown.UnionWith(Users(users));
        for (var day = 1; day <= 3; day++)
        {
            Assert.Equal(new RetentionPass(users, 0, 0, Absent: users), await PassAsync());
            Assert.Equal(day, (await HeldAsync()).Count);
            _scene.Clock.Advance(Day);
        }

        Assert.Equal(users, (await _scene.UsersAsync()).Count);
        Assert.Equal(3, Alerts());
    }

    [Theory]
    [InlineData(null, 5, false)]
    [InlineData(null, 6, true)]
    [InlineData("2", 2, false)]
    [InlineData("2", 3, true)]
    [InlineData("0", 1, true)]
    public async Task More_than_may_go_at_once_are_held_up_all_of_them_and_somebody_is_told_on_each_day(string? most, int gone, bool isHeld)
    {
        if (most is not null)
            Restart(new() { ["Removal:MostAtOnce"] = most });
        using var telemetry = new TelemetryCapture();
        await PublishAsync(10);
        _unknown.UnionWith(Users(gone));
        await PassAsync();
        Assert.Equal(isHeld ? 1 : 0, Alerts());
        _scene.Clock.Advance(Day);

        Assert.Equal(isHeld ? 0 : gone, (await PassAsync()).Removed);

        Assert.Equal(isHeld ? 10 : 10 - gone, (await _scene.UsersAsync()).Count);
        Assert.Equal(isHeld ? 2 : 0, Alerts());
        Assert.Equal(isHeld ? 2 * gone : 0, telemetry.SumsOf(_scene.Services, "basiq.retention.held").Values.Sum());
    }

    [Fact]
    public void Of_many_users_one_in_a_hundred_may_go_at_once()
    {
        var options = new RemovalOptions();
        Assert.Equal((5, 5, 6, 100), (options.MostOf(1), options.MostOf(599), options.MostOf(600), options.MostOf(10_000)));
    }

    [Fact]
    public async Task Ends_that_name_a_consent_are_held_up_by_nothing()
    {
        await PublishAsync(20);
        _unknown.UnionWith(Users(10));
        await PassAsync();
        _scene.Clock.Advance(Day);
        foreach (var user in Users(20).Skip(10))
            Consents(new(user), """{"id":"x","status":"revoked"}""");

        Assert.Equal(10, (await PassAsync()).Removed);

        Assert.Equal(Users(10), (await _scene.UsersAsync()).Order());
    }

    [Fact]
    public async Task Confirmed_by_somebody_they_go_but_for_whoever_is_back_and_confirming_again_changes_nothing()
    {
        await PublishAsync(20);
        _unknown.UnionWith(Users(10));
        await PassAsync();
        _scene.Clock.Advance(Day);
        await PassAsync();
        _unknown.Remove("u03");
        var passId = (await HeldAsync())[0].PassId;

        var confirmed = await ConfirmAsync(passId);

        Assert.Equal((200, 9, 0), (confirmed.Status, confirmed.Json.GetProperty("removed").GetInt32(), confirmed.Json.GetProperty("waiting").GetInt32()));
        Assert.Equal(["u03", .. Users(20).Skip(10)], (await _scene.UsersAsync()).Order());
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        var again = await ConfirmAsync(passId);
        Assert.Equal((200, 0), (again.Status, again.Json.GetProperty("removed").GetInt32()));
        Assert.Equal(confirmed.Json.GetProperty("confirmedAt").GetString(), again.Json.GetProperty("confirmedAt").GetString());
    }

    [Fact]
    public async Task What_was_confirmed_at_the_first_look_goes_at_the_second_and_nobody_is_told_again()
    {
        await PublishAsync(20);
        _unknown.UnionWith(Users(10));
        await PassAsync();
        var confirmed = await ConfirmAsync(Assert.Single(await HeldAsync()).PassId);
        Assert.Equal((0, 10), (confirmed.Json.GetProperty("removed").GetInt32(), confirmed.Json.GetProperty("waiting").GetInt32()));
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        await PassAsync();
        _scene.Clock.Advance(Day - TimeSpan.FromHours(1));

        // Nobody confirmed that these are gone.
        _unknown.UnionWith(Users(17).Skip(10));
        Assert.Equal(new RetentionPass(20, 10, 0, Absent: 7), await PassAsync());

        Assert.Equal(2, Alerts());
    }

    [Fact]
    public async Task A_confirmation_is_of_those_who_were_missed_then_and_of_no_later_absence_even_of_the_same_users()
    {
        await PublishAsync(20);
        _unknown.UnionWith(Users(10));
        await PassAsync();
        _scene.Clock.Advance(Day);
        await PassAsync();
        _unknown.Clear();
        Assert.Equal(0, (await ConfirmAsync((await HeldAsync())[0].PassId)).Json.GetProperty("removed").GetInt32());
        _scene.Clock.Advance(Day);

        _unknown.UnionWith(Users(14).Skip(7));
        await PassAsync();
        Assert.Equal(7, (await _scene.Get<UserAbsences>().ListAsync(default)).Count);
        Assert.All(await _scene.Get<UserAbsences>().ListAsync(default), absence => Assert.False(absence.IsConfirmed));
        _scene.Clock.Advance(Day);

        Assert.Equal(new RetentionPass(20, 0, 0, Absent: 7), await PassAsync());
    }

    [Fact]
    public async Task A_user_whose_data_was_fetched_after_Basiq_had_nothing_is_missed_anew()
    {
        await PublishAsync(2);
        _unknown.Add("u00");
        await PassAsync();
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        await _scene.PublishByAsync("sync-later", new("u00"), "c1");
        _scene.Clock.Advance(Day);

        Assert.Equal(new RetentionPass(2, 0, 0, Absent: 1), await PassAsync());

        _scene.Clock.Advance(Day);
        Assert.Equal(1, (await PassAsync()).Removed);
    }

    [Fact]
    public async Task A_confirmation_removes_nobody_while_Basiq_knows_nobody()
    {
        await PublishAsync(3);
        _unknown.UnionWith(Users(3));
        await PassAsync();
        _scene.Clock.Advance(Day);
        await PassAsync();

        var confirmed = await ConfirmAsync((await HeldAsync())[0].PassId);

        Assert.Equal((0, 3), (confirmed.Json.GetProperty("removed").GetInt32(), confirmed.Json.GetProperty("waiting").GetInt32()));
        Assert.Equal(3, (await _scene.UsersAsync()).Count);
    }

    [Fact]
    public async Task Of_the_only_user_who_is_known_somebody_has_to_say_that_the_user_is_gone()
    {
        await PublishAsync(1);
        _unknown.Add("u00");
        await PassAsync();
        _scene.Clock.Advance(Day);
        Assert.Equal(0, (await PassAsync()).Removed);

        Assert.Equal(1, (await ConfirmAsync((await HeldAsync())[0].PassId)).Json.GetProperty("removed").GetInt32());
        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task Only_a_pass_of_the_last_days_can_be_confirmed()
    {
        (await ConfirmAsync("no-such-pass")).IsProblem(404, "removal-not-found");
        await PublishAsync(1);
        _unknown.Add("u00");
        await PassAsync();
        var held = Assert.Single(await HeldAsync());
        Assert.Equal((1, _scene.Clock.GetUtcNow(), _scene.Clock.GetUtcNow() + TimeSpan.FromDays(7)), (held.Users, held.HeldAt, held.ExpiresAt));
        var listed = await _scene.CallAsync<HeldRemovalFunctions>((f, r) => f.ListHeldRemovals(r, default));
        Assert.Equal(held.PassId, Assert.Single(listed.Json.GetProperty("removals").EnumerateArray()).GetProperty("passId").GetString());

        _scene.Clock.Advance(TimeSpan.FromDays(7));

        (await ConfirmAsync(held.PassId)).IsProblem(404, "removal-not-found");
        Assert.Empty(await HeldAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_clock_that_has_jumped_makes_no_two_days_of_one(bool jumpsAtTheFirstLook)
    {
        await PublishAsync(2);
        _unknown.Add("u00");
        await PassAsync(jumpsAtTheFirstLook ? TimeSpan.FromDays(-370) : TimeSpan.Zero);
        _scene.Clock.Advance(Day);
        Assert.Equal(0, (await PassAsync(jumpsAtTheFirstLook ? TimeSpan.Zero : TimeSpan.FromDays(370))).Removed);
        _scene.Clock.Advance(Day);

        Assert.Equal(1, (await PassAsync()).Removed);
    }

    [Fact]
    public async Task While_Basiq_cannot_be_asked_for_those_who_were_missed_the_others_have_their_turn()
    {
        await PublishAsync(3);
        _unknown.Add("u00");
        await PassAsync();
        _scene.Clock.Advance(Day);
        _scene.Basiq.Setup(b => b.GetUserAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 503));
        Consents(new("u02"), """{"id":"x","status":"expired"}""");

        Assert.Equal(new RetentionPass(3, 1, 0, Absent: 1), await PassAsync());
    }

    [Fact]
    public async Task A_refused_key_is_not_told_for_each_user()
    {
        await PublishAsync(8);
        _scene.Basiq.Setup(b => b.ListConsentsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unauthorized, 404, "POST /token"));

        Assert.Equal(new RetentionPass(8, 0, 8), await PassAsync());

        Assert.DoesNotContain(_scene.Logs.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public void A_wrong_setting_stops_the_start()
    {
        Restart(new() { ["Removal:MostAtOnce"] = "-1" });
        var thrown = Assert.Throws<OptionsValidationException>(() => _scene.Get<IStartupValidator>().Validate());
        Assert.Contains("Removal:MostAtOnce", thrown.Message, StringComparison.Ordinal);
    }

    private static string[] Users(int count) => [.. Enumerable.Range(0, count).Select(i => $"u{i:D2}")];

    private void Restart(Dictionary<string, string?> settings)
    {
        _scene.Dispose();
        _scene = new UsersScene(settings: settings);
        Answer();
    }

    /// <summary>Has Basiq know everybody, with a consent and a connection, but for those whom a test names.</summary>
    private void Answer()
    {
        var unknown = UsersScene.Failure(BasiqFailureKind.NotFound, 404);
        _scene.Basiq.Setup(b => b.GetUserAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()))
            .Returns((UserId userId, CancellationToken _) => _unknown.Contains(userId) ? Task.FromException<User>(unknown) : Task.FromResult(UsersScene.BasiqUser()));
        _scene.Basiq.Setup(b => b.ListConsentsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()))
            .Returns((UserId userId, CancellationToken _) => _unknown.Contains(userId)
                ? Task.FromException<IReadOnlyList<Consent>>(unknown)
                : Task.FromResult<IReadOnlyList<Consent>>(_empty.Contains(userId) ? [] : [Consent.Parse("""{"id":"x","status":"active"}""")]));
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()))
            .Returns((UserId userId, CancellationToken _) => Task.FromResult<IReadOnlyList<Connection>>(
                _empty.Contains(userId) ? [] : [Connection.Parse("""{"id":"c1","status":"active"}""")]));
    }

    private void Consents(UserId userId, string consent) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(userId, It.IsAny<CancellationToken>())).ReturnsAsync([Consent.Parse(consent)]);

    private async Task PublishAsync(int users)
    {
        foreach (var user in Users(users))
            await _scene.PublishAsync(new(user), "c1");
        _scene.Clock.Advance(Day);
    }

    private Task<RetentionPass> PassAsync(TimeSpan clockOff = default) => _scene.PassAsync(clockOff);

    private Task<Answer> ConfirmAsync(string passId) =>
        _scene.CallAsync<HeldRemovalFunctions>((f, r) => f.ConfirmRemoval(r, passId, _scene.Durable.Client, default));

    private Task<IReadOnlyList<HeldRemoval>> HeldAsync() => _scene.Get<HeldRemovals>().ListAsync(default);

    private int Alerts() => _scene.Logs.Lines.Count(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("[3404]", StringComparison.Ordinal));

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync(UserId userId) => _scene.Get<DeletionReceipts>().ListAsync(userId, default);
}
