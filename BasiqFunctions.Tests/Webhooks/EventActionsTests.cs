using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

[Trait("Category", "Unit")]
public sealed class EventActionsTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly UsersScene _scene = new();

    public EventActionsTests() => Consents("""{"id":"x","status":"active"}""");

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("consent", "revoked", "consents/x", """{"id":"x","status":"revoked"}""", "consent-revoked", "consent-ended")]
    [InlineData("consent", "expired", "consents/x", """{"id":"x","status":"expired"}""", "consent-expired", "consent-ended")]
    [InlineData("user", "deleted", "", null, "user-deleted", "no-snapshot")]
    public async Task An_end_takes_snapshots_syncs_and_whatever_could_be_read_back_along_and_leaves_a_receipt_that_says_nothing_of_a_person(
        string entity, string type, string path, string? consent, string reason, string code)
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        await _scene.PublishAsync(new("user-2"), "c3");
        var (running, ended) = (SyncIds.For(UserId, [new("j1")]), SyncIds.For(UserId, [new("j2")]));
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);
        _scene.Durable.Set(ended, OrchestrationRuntimeStatus.Completed);
        await _scene.Get<ConsentWarnings>().NoteAsync(UserId, "x", _scene.Clock.GetUtcNow(), default);
        await _scene.Get<ConnectionAttentions>().MarkAsync(UserId, new("c1"), NextAction.Reconnect, _scene.Clock.GetUtcNow(), "earlier", default);
        if (consent is not null)
            Consents(consent);
        else
            _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        _scene.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal("removed", await ActAsync(entity, type, path));

        Assert.Null(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(new("user-2"), default));
        Assert.Empty(_scene.Durable.Instances);
        Assert.Empty(await _scene.Get<ConsentWarnings>().ListAsync(UserId, default));
        Assert.Empty(await _scene.Get<ConnectionAttentions>().ListAsync(UserId, default));
        var accounts = await _scene.CallAsync<SnapshotFunctions>((f, r) => f.ListAccountsAsync(r, UserId, default));
        Assert.Equal((404, code), (accounts.Status, accounts.Json.GetProperty("code").GetString()));
        foreach (var syncId in new[] { running, ended })
        {
            var sync = await _scene.CallAsync<SyncFunctions>((f, r) => f.GetSync(r, UserId, syncId, _scene.Durable.Client, default));
            Assert.Equal((404, "sync-not-found"), (sync.Status, sync.Json.GetProperty("code").GetString()));
        }

        var listed = await _scene.CallAsync<DeletionReceiptFunctions>((f, r) => f.ListDeletionReceipts(r, UserId, default));
        var receipt = Assert.Single(listed.Json.GetProperty("receipts").EnumerateArray());
        Assert.Equal((2, 2, 1), (receipt.GetProperty("accounts").GetInt32(), receipt.GetProperty("connections").GetInt32(), receipt.GetProperty("syncsStopped").GetInt32()));
        Assert.Equal((reason, _scene.Clock.GetUtcNow()), (receipt.GetProperty("reason").GetString(), receipt.GetProperty("removedAt").GetDateTimeOffset()));
        Assert.Subset<string>(
            new HashSet<string> { "receiptId", "userId", "reason", "consentId", "accounts", "transactions", "connections", "syncsStopped", "begunAt", "removedAt", "reports" },
            receipt.EnumerateObject().Select(property => property.Name).ToHashSet());
        Assert.Equal("nothing-kept", await ActAsync(entity, type, path));
        Assert.Single(await ReceiptsAsync());
    }

    [Fact]
    public async Task A_deleted_user_s_data_goes_once_Basiq_says_that_the_user_is_gone()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents("""{"id":"x","status":"active","expiryDate":"2030-01-01T00:00:00Z"}""");
        Connections("c1");
        Assert.Equal("still-consented", await ActAsync("user", "deleted", ""));
        Assert.True(_scene.HasSnapshotFiles);

        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        Assert.Equal("removed", await ActAsync("user", "deleted", ""));
        Assert.Equal(DeletionReason.UserDeleted, Assert.Single(await ReceiptsAsync()).Reason);
    }

    [Theory]
    [InlineData("consent", "revoked", "consents/x")]
    [InlineData("consent", "expired", "consents/x")]
    [InlineData("connection", "deleted", "connections/c1")]
    public async Task That_Basiq_does_not_know_the_user_is_no_deletion_unless_the_event_says_so(string entity, string type, string path)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        Connection("c1", "active");

        Assert.Equal(entity is "consent" ? "user-unknown" : "still-there", await ActAsync(entity, type, path));

        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(await ReceiptsAsync());
    }

    [Theory]
    [InlineData("""{"id":"x","status":"active","expiryDate":"2024-05-31T00:00:00Z"}""", "expired", false)]
    [InlineData("""{"id":"x","status":"active","expiryDate":"2025-05-31T00:00:00Z"}""", "expired", true)]
    [InlineData(null, "deleted", false)]
    public async Task An_event_that_Basiq_s_list_contradicts_is_tried_again_until_the_list_has_caught_up(string? consent, string type, bool isComplete)
    {
        await _scene.PublishAsync(UserId, "c1");
        if (consent is not null)
            Consents(consent);
        else
            _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([]);
        Connections(consent is null ? [] : ["c1"]);

        var handled = await _scene.Get<EventActions>().ActAsync(
            _scene.Durable.Client, Event(type is "deleted" ? "user" : "consent", type, type is "deleted" ? "" : "consents/x"), default);

        Assert.Equal(isComplete, handled.IsComplete);
        Assert.True(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task A_warning_is_kept_for_whoever_asks_for_the_consents()
    {
        Consents("""{"id":"x","status":"active","expiryDate":"2024-07-01T00:00:00Z"}""");
        Assert.Equal("noted", await ActAsync("consent", "warning", "consents/x"));
        Assert.Equal("no-such-consent", await ActAsync("consent", "warning", "consents/y"));
        var listed = await _scene.CallAsync<UserConsentFunctions>((f, r) => f.ListConsents(r, UserId, default));
        var standing = Assert.Single(listed.Json.GetProperty("standings").EnumerateArray());
        Assert.Equal(
            ("x", new DateTimeOffset(2024, 6, 1, 12, 0, 0, TimeSpan.Zero)),
            (standing.GetProperty("consentId").GetString(), standing.GetProperty("warnedAt").GetDateTimeOffset()));
    }

    [Fact]
    public async Task An_invalidated_connection_asks_for_attention_until_it_is_active_again()
    {
        Consents("""{"id":"x","status":"active"}""");
        Connection("c1", "invalid");
        Connections("c1", "c2");

        // A sync may wait for the job whose failure is behind it.
        var waiting = SyncIds.For(UserId, [new("failing")]);
        _scene.Durable.Set(waiting, OrchestrationRuntimeStatus.Running);
        Assert.Equal("marked", await ActAsync("connection", "invalidated", "connections/c1"));
        Assert.Equal([waiting], _scene.Durable.Events);

        var answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));
        var matter = Assert.Single(answer.Json.GetProperty("attention").EnumerateArray());
        Assert.Equal(("c1", "reconnect"), (matter.GetProperty("connectionId").GetString(), matter.GetProperty("nextAction").GetString()));
        var listed = answer.Json.GetProperty("connections")[0];
        Assert.Equal(("c1", "reconnect"), (listed.GetProperty("id").GetString(), listed.GetProperty("attention").GetProperty("nextAction").GetString()));
        Assert.Equal("reauthorise", listed.GetProperty("attention").GetProperty("continueWith").GetProperty("action").GetString());

        Connection("c1", "active");
        _scene.Durable.Show(SyncIds.For(UserId, [new("j")]), Progress(SyncState.WaitingForBank, Job("j", "c1")));
        await ActAsync("connection", "activated", "connections/c1");
        answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));
        Assert.False(answer.Json.TryGetProperty("attention", out _));
    }

    [Theory]
    [InlineData("account-not-accessible-requires-user-action", "act-at-bank")]
    [InlineData("invalid-credentials", "reconnect")]
    [InlineData("service-unavailable", "reconnect")]
    [InlineData(null, "reconnect")]
    public async Task An_invalidated_connection_needs_what_its_last_job_says(string? code, string action)
    {
        Connection("c1", "invalid");
        _scene.Basiq.Setup(b => b.ListJobsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(
        [
            Job("earlier", "c1", "2024-06-01T10:00:00Z", "user-action-required"),
            Job("last", "c1", "2024-06-01T11:00:00Z", code),
            Job("other", "c2", "2024-06-01T11:30:00Z", "user-action-required"),
        ]);

        var handled = await _scene.Get<EventActions>().ActAsync(_scene.Durable.Client, Event("connection", "invalidated", "connections/c1"), default);

        Assert.Equal(action, handled.Told!.NextAction);

        static Job Job(string id, string connectionId, string updated, string? code) => new()
        {
            Id = new(id),
            Updated = updated,
            Steps = [new JobStep { Title = "verify-credentials", Status = code is null ? "success" : "failed", Result = code is null ? null : new JobStepResult { Code = code } }],
            Links = new JobLinks { Source = $"https://basiq.example/users/{UserId}/connections/{connectionId}" },
        };
    }

    [Fact]
    public async Task That_a_connection_needs_somebody_is_news_once_and_so_is_that_it_does_not_any_more()
    {
        var attentions = _scene.Get<ConnectionAttentions>();
        var now = _scene.Clock.GetUtcNow();
        Assert.False(await attentions.ClearAsync(UserId, new("c1"), now, "e0", default));
        Assert.True(await attentions.MarkAsync(UserId, new("c1"), NextAction.Reconnect, now, "e1", default));
        Assert.True(await attentions.MarkAsync(UserId, new("c1"), NextAction.Reconnect, now, "e1", default));
        Assert.False(await attentions.MarkAsync(UserId, new("c1"), NextAction.Reconnect, now, "e2", default));
        Assert.True(await attentions.MarkAsync(UserId, new("c1"), NextAction.ActAtBank, now, "e3", default));
        Assert.Equal(NextAction.ActAtBank, Assert.Single(await attentions.ListAsync(UserId, default)).NextAction);
        Assert.True(await attentions.ClearAsync(UserId, new("c1"), now, "e4", default));
        Assert.True(await attentions.ClearAsync(UserId, new("c1"), now, "e4", default));
        Assert.False(await attentions.ClearAsync(UserId, new("c1"), now, "e5", default));
        Assert.Empty(await attentions.ListAsync(UserId, default));
    }

    [Fact]
    public async Task An_activation_that_comes_late_says_nothing_of_a_connection_that_does_not_work()
    {
        Consents("""{"id":"x","status":"active"}""");
        Connection("c1", "invalid");
        Assert.Equal("marked", await ActAsync("connection", "invalidated", "connections/c1", "e1"));
        _scene.Durable.Show(SyncIds.For(UserId, [new("j")]), Progress(SyncState.WaitingForBank, Job("j", "c1")));

        var late = await _scene.Get<EventActions>().ActAsync(_scene.Durable.Client, Event("connection", "activated", "connections/c1", "e0"), default);

        Assert.Null(late.Tells);
        Assert.Single(await _scene.Get<ConnectionAttentions>().ListAsync(UserId, default));
    }

    [Fact]
    public async Task A_note_that_is_removed_while_it_is_cleared_is_not_made_anew()
    {
        var table = new InterceptedRecordTable(_scene.Services.GetRequiredKeyedService<IRecordTable>(WebhookOptions.Section));
        var attentions = new ConnectionAttentions(table);
        var now = _scene.Clock.GetUtcNow();
        await attentions.MarkAsync(UserId, new("c1"), NextAction.Reconnect, now, "e1", default);
        table.Before = step => step is "replace" ? _scene.Get<ConnectionAttentions>().RemoveAsync(UserId, new("c1"), default) : Task.CompletedTask;

        Assert.False(await attentions.ClearAsync(UserId, new("c1"), now, "e2", default));

        Assert.Empty(await _scene.Services.GetRequiredKeyedService<IRecordTable>(WebhookOptions.Section).ListAsync($"user-{UserId}", 10, null, default));
    }

    [Fact]
    public async Task Of_a_connection_that_was_invalidated_with_the_consent_nothing_is_noted()
    {
        Consents("""{"id":"x","status":"revoked"}""");
        Connection("c1", "invalid");
        Connections("c1");

        Assert.Equal("no-consent", await ActAsync("connection", "invalidated", "connections/c1"));

        var answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));
        Assert.False(answer.Json.TryGetProperty("attention", out _));
    }

    [Fact]
    public async Task A_deleted_connection_s_data_goes_once_Basiq_says_that_it_is_gone()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Connection("c1", "active");
        Assert.Equal("still-there", await ActAsync("connection", "deleted", "connections/c1"));

        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, new("c1"), It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        Assert.Equal("removed", await ActAsync("connection", "deleted", "connections/c1"));
        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        Assert.Equal(("c1", DeletionReason.ConnectionDeleted), (Assert.Single(await ReceiptsAsync()).ConnectionId, Assert.Single(await ReceiptsAsync()).Reason));
    }

    [Theory]
    [InlineData("connection", "activated", "connections/c1")]
    [InlineData("account", "updated", "accounts?filter=connection.id.eq('c1')")]
    [InlineData("transactions", "updated", "transactions?filter=connection.id.eq('c1')")]
    public async Task News_of_a_bank_wake_a_sync_that_waits_for_it_or_start_one_of_what_Basiq_has(string entity, string type, string path)
    {
        Connection("c1", "active");
        var running = SyncIds.For(UserId, [new("j0")]);
        _scene.Durable.Show(running, Progress(SyncState.WaitingForBank, Job("j0", "c1")));
        Assert.Equal("woken", await ActAsync(entity, type, path));
        Assert.Equal([running], _scene.Durable.Events);
        Assert.Empty(_scene.Durable.Scheduled);

        // No bank is asked again: a call to refresh is none that this Basiq knows.
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Completed);
        Assert.Equal("fetched", await ActAsync(entity, type, path));
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1")], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task News_that_come_within_a_while_become_one_sync_and_later_ones_another()
    {
        const string Path = "transactions?filter=connection.id.eq('c1')";
        Connection("c1", "active");
        Assert.Equal("fetched", await ActAsync("account", "updated", "accounts?filter=connection.id.eq('c1')", "e1"));
        _scene.Clock.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.Equal("gathered", await ActAsync("transactions", "updated", Path, "e2"));

        // An event that is handled again, after its process died, goes on with what it began.
        Assert.Equal("fetched", await ActAsync("account", "updated", "accounts?filter=connection.id.eq('c1')", "e1"));
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1")], _scene.Durable.Scheduled);

        _scene.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("fetched", await ActAsync("transactions", "updated", Path, "e3"));
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1"), SyncIds.ForNews(UserId, new("c1"), "e3")], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task News_that_are_gathered_have_their_sync_started_by_whoever_joins_them_when_the_process_died_before()
    {
        Connection("c1", "active");
        await _scene.Get<EventNotes>().GatherAsync(UserId, new("c1"), "e1", isFull: false, TimeSpan.FromSeconds(30), default);
        Assert.Equal("gathered", await ActAsync("transactions", "updated", "transactions?filter=connection.id.eq('c1')", "e2"));
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1")], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_bank_that_was_connected_anew_is_fetched_whole_and_takes_other_news_in()
    {
        Connection("c1", "active");
        await _scene.PublishAsync(UserId, "c1");
        var notes = _scene.Get<EventNotes>();
        Assert.False((await notes.GatherAsync(UserId, new("c1"), "e0", isFull: false, TimeSpan.FromSeconds(30), default)).IsFull);
        Assert.Equal("fetched", await ActAsync("connection", "activated", "connections/c1", "e1", "2024-06-01T12:00:01Z"));
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1")], _scene.Durable.Scheduled);
        Assert.True((await notes.GatherAsync(UserId, new("c1"), "e2", isFull: false, TimeSpan.FromSeconds(30), default)) is { IsFull: true, EventId: "e1" });
    }

    [Theory]
    [InlineData("connection", "activated", "connections/c1")]
    [InlineData("account", "updated", "accounts?filter=connection.id.eq('c1')")]
    public async Task News_of_a_bank_starts_nothing_when_no_consent_is_in_force(string entity, string type, string path)
    {
        Connection("c1", "active");
        Consents("""{"id":"x","status":"expired","expiryDate":"2024-05-31T00:00:00Z"}""");

        Assert.Equal("no-consent", await ActAsync(entity, type, path));
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData(SyncState.WaitingForBank, "c2", JobState.InProgress, null, null)]
    [InlineData(SyncState.WaitingForBank, "c1", JobState.Failed, null, null)]
    [InlineData(SyncState.WaitingForBank, "c1", JobState.TimedOut, null, null)]
    [InlineData(SyncState.WaitingForBank, null, JobState.Pending, "c2", null)]
    [InlineData(SyncState.WaitingForBank, null, JobState.Pending, null, null)]
    [InlineData(SyncState.Fetching, "c2", JobState.Success, "c2", "2024-06-01T12:00:00Z")]
    [InlineData(SyncState.Fetching, "c1", JobState.Success, "c1", "2024-06-01T11:59:59Z")]
    [InlineData(SyncState.Fetching, "c1", JobState.Success, "c1", null)]
    public async Task A_sync_that_does_not_bring_the_news_is_woken_and_keeps_nothing_from_another(
        SyncState state, string? connectionId, JobState job, string? connectionAtBasiq, string? updated)
    {
        var (sync, outcome) = await ActBesideSyncAsync(state, Job("j0", connectionId, job), connectionAtBasiq, updated);
        Assert.Equal("fetched", outcome);
        Assert.Equal([sync], _scene.Durable.Events);
        Assert.Equal([SyncIds.ForNews(UserId, new("c1"), "e1")], _scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData(SyncState.WaitingForBank, "c1", JobState.InProgress, null, null)]
    [InlineData(SyncState.WaitingForBank, "c1", JobState.Success, null, null)]
    [InlineData(SyncState.WaitingForBank, null, JobState.Pending, "c1", null)]
    [InlineData(SyncState.Fetching, "c1", JobState.Success, "c1", "2024-06-01T12:00:00Z")]
    [InlineData(SyncState.Fetching, null, JobState.Success, "c1", "2024-06-01T12:00:01Z")]
    public async Task A_sync_that_begins_to_fetch_the_bank_after_the_news_brings_them(
        SyncState state, string? connectionId, JobState job, string? connectionAtBasiq, string? updated)
    {
        var (sync, outcome) = await ActBesideSyncAsync(state, Job("j0", connectionId, job), connectionAtBasiq, updated);
        Assert.Equal("woken", outcome);
        Assert.Equal([sync], _scene.Durable.Events);
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData("transactions", "transactions", """{"type":"transactions","connection":{"id":"c1","type":"connection"},"count":"13"}""")]
    [InlineData("account", "accounts/a1", """{"id":"a1","type":"account","connection":{"id":"c1","type":"connection"}}""")]
    public async Task News_name_the_bank_in_what_they_carry(string entity, string path, string data)
    {
        Connection("c1", "active");
        var happened = BasiqEvent.Parse(
            $$"""{"id":"e1","createdDate":"2024-06-01T12:00:00Z","entity":"{{entity}}","eventType":"updated","userId":"{{UserId}}","data":{{data}},"dataRef":"https://basiq/users/{{UserId}}/{{path}}"}""");
        Assert.Equal("fetched", (await _scene.Get<EventActions>().ActAsync(_scene.Durable.Client, happened, default)).Outcome);
    }

    [Fact]
    public async Task A_connection_that_Basiq_has_as_deleted_is_gone_and_one_that_it_calls_invalid_in_other_words_needs_somebody()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents("""{"id":"x","status":"active"}""");
        Connection("c1", "invalid-connection");
        Assert.Equal("marked", await ActAsync("connection", "invalidated", "connections/c1"));

        Connection("c1", "deleted");
        Assert.Equal("removed", await ActAsync("connection", "deleted", "connections/c1"));
        Assert.Equal("no-such-connection", await ActAsync("connection", "invalidated", "connections/c1"));
    }

    [Fact]
    public async Task What_was_fetched_since_the_event_is_not_fetched_again()
    {
        Connection("c1", "active");
        await _scene.PublishAsync(UserId, "c1");
        Assert.Equal("covered", await ActAsync("transactions", "updated", "transactions?filter=connection.id.eq('c1')", at: "2024-06-01T11:59:59Z"));
    }

    [Theory]
    [InlineData("j1", "covered")]
    [InlineData("j2", "fetched")]
    [InlineData(null, "fetched")]
    public async Task In_the_second_of_an_event_only_the_job_of_the_sync_tells_whether_its_news_were_fetched(string? jobOfSync, string outcome)
    {
        Connection("c1", "active");
        var sync = jobOfSync is null ? "sync-of-news" : SyncIds.For(UserId, [new(jobOfSync)]);
        await _scene.PublishByAsync(sync, UserId, "c1");
        _scene.Durable.Show(
            sync, Progress(SyncState.Completed, jobOfSync is null ? [] : [Job(jobOfSync, "c1", JobState.Success)]), OrchestrationRuntimeStatus.Completed);
        var second = _scene.Clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        _scene.Basiq.Setup(b => b.ListJobsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([new Job { Id = new("j1"), Updated = second, Links = new JobLinks { Source = $"/users/{UserId}/connections/c1" } }]);
        Assert.Equal(outcome, await ActAsync("transactions", "updated", "transactions?filter=connection.id.eq('c1')", at: second));
    }

    [Fact]
    public async Task News_that_come_at_once_begin_one_gathering()
    {
        var notes = _scene.Get<EventNotes>();
        var begun = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => notes.GatherAsync(UserId, new("c1"), NewId(), isFull: false, TimeSpan.FromSeconds(30), default)));
        Assert.Single(begun.Distinct());
        Assert.NotEqual(begun[0].EventId, (await notes.GatherAsync(new("user-2"), new("c1"), NewId(), isFull: false, TimeSpan.FromSeconds(30), default)).EventId);
    }

    [Theory]
    [InlineData(SyncState.WaitingForBank, "woken", 1)]
    [InlineData(SyncState.Completed, "fetched", 0)]
    public async Task The_daily_look_sees_whether_a_sync_that_was_woken_brought_the_news(SyncState state, string outcome, int asked)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        Connection("c1", "active");
        Consents("""{"id":"x","status":"active"}""");
        var sync = SyncIds.For(UserId, [new("j0")]);
        _scene.Durable.Show(sync, Progress(state, Job("j0", "c1")), state is SyncState.Completed ? OrchestrationRuntimeStatus.Completed : OrchestrationRuntimeStatus.Running);
        Assert.Equal(outcome, await ActAsync("account", "updated", "accounts?filter=connection.id.eq('c1')", at: "2024-06-01T12:00:30Z"));
        _scene.Basiq.Invocations.Clear();

        _scene.Clock.Advance(TimeSpan.FromHours(14));
        await _scene.Get<JobLooks>().LookAsync(_scene.Durable.Client, UserId, _ => { }, default);

        _scene.Basiq.Verify(b => b.ListJobsAsync(UserId, It.IsAny<CancellationToken>()), Times.Exactly(asked));
    }

    [Theory]
    [InlineData("activated")]
    [InlineData("invalidated")]
    public async Task An_event_that_comes_late_says_nothing_of_what_has_failed_since(string type)
    {
        await _scene.PublishAsync(UserId, "c1");
        Connection("c1", "active");
        Consents("""{"id":"x","status":"active"}""");
        var attentions = _scene.Get<ConnectionAttentions>();
        await attentions.MarkAsync(UserId, new("c1"), NextAction.ActAtBank, new DateTimeOffset(2024, 6, 1, 12, 0, 10, TimeSpan.Zero), "job", default);

        await ActAsync("connection", type, "connections/c1", "e1", "2024-06-01T12:00:08Z");
        Assert.Equal(NextAction.ActAtBank, Assert.Single(await attentions.ListAsync(UserId, default)).NextAction);

        await ActAsync("connection", type, "connections/c1", "e2", "2024-06-01T12:00:10Z");
        Assert.Empty(await attentions.ListAsync(UserId, default));
    }

    [Theory]
    [InlineData("archived", "revoked", "removed")]
    [InlineData("deleted", "expired", "removed")]
    [InlineData("archived", "active", "still-consented")]
    public async Task Of_a_consent_that_was_archived_or_deleted_Basiqs_list_says_whether_it_has_ended(string type, string status, string outcome)
    {
        await _scene.PublishAsync(UserId, "c1");
        Connection("c1", "active");
        Consents($$"""{"id":"x","status":"{{status}}"}""");

        Assert.Equal(outcome, await ActAsync("consent", type, "consents/x"));
    }

    [Theory]
    [InlineData("user", "created", "")]
    [InlineData("something", "new", "connections/c1")]
    public async Task Other_types_are_taken_to_no_effect_and_counted(string entity, string type, string path)
    {
        using var telemetry = new TelemetryCapture();
        using var scene = new UsersScene();
        scene.Basiq.Setup(b => b.GetEventAsync("e1", It.IsAny<CancellationToken>())).ReturnsAsync(Event(entity, type, path));
        var outcome = await ActivatorUtilities.CreateInstance<EventActivities>(scene.Services)
            .ActOnEvent(new EventInput("e1"), scene.Durable.Client, default);
        Assert.Equal(("other", "unknown-type", true), (outcome.Value!.Type, outcome.Value.Outcome, outcome.Value.IsComplete));
        Assert.Equal(1, telemetry.SumsOf(scene.Services, "basiq.events")["other unknown-type"]);
        Assert.Empty(scene.Durable.Instances);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_whose_last_try_comes_to_nothing_is_dropped_and_said_so(bool breaks)
    {
        using var telemetry = new TelemetryCapture();
        using var scene = new UsersScene();
        scene.Basiq.Setup(b => b.GetEventAsync("e1", It.IsAny<CancellationToken>()))
            .ThrowsAsync(breaks ? new IOException("storage is away") : UsersScene.Failure(BasiqFailureKind.Unavailable, endpoint: "GET /events/{id}"));
        var activities = ActivatorUtilities.CreateInstance<EventActivities>(scene.Services);

        foreach (var input in new EventInput[] { new("e1"), new("e1", IsLastTry: true) })
            Assert.Equal(breaks, await Record.ExceptionAsync(() => activities.ActOnEvent(input, scene.Durable.Client, default)) is IOException);

        Assert.Single(scene.Logs.Lines, line => line.Contains("Event e1 (other) dropped", StringComparison.Ordinal));
        Assert.Equal(1, telemetry.SumsOf(scene.Services, "basiq.events")["other dropped"]);
    }

    /// <summary>Has news of connection c1 come while a sync runs, and returns that sync and what came of the news.</summary>
    private async Task<(string SyncId, string Outcome)> ActBesideSyncAsync(
        SyncState state, SyncedJob job, string? connectionAtBasiq, string? updated)
    {
        Connection("c1", "active");
        var sync = SyncIds.For(UserId, [job.JobId]);
        _scene.Durable.Show(sync, Progress(state, job));
        var links = connectionAtBasiq is null ? null : new JobLinks { Source = $"/users/{UserId}/connections/{connectionAtBasiq}" };
        _scene.Basiq.Setup(b => b.ListJobsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([new Job { Id = job.JobId, Links = links, Updated = updated }]);
        return (sync, await ActAsync("transactions", "updated", "transactions?filter=connection.id.eq('c1')"));
    }

    private static SyncProgress Progress(SyncState state, params SyncedJob[] jobs) => new(state, jobs, new AccountProgress(0, 0), 0);

    private static SyncedJob Job(string id, string? connectionId, JobState state = JobState.InProgress) => new(new(id), connectionId is null ? null : new(connectionId), state, []);

    private static string NewId() => Guid.NewGuid().ToString("N");

    private async Task<string> ActAsync(string entity, string type, string path, string id = "e1", string at = "2024-06-01T12:00:00Z") =>
        (await _scene.Get<EventActions>().ActAsync(_scene.Durable.Client, Event(entity, type, path, id, at), default)).Outcome;

    private static BasiqEvent Event(string entity, string type, string path, string id = "e1", string at = "2024-06-01T12:00:00Z") => BasiqEvent.Parse(
        $$"""{"id":"{{id}}","createdDate":"{{at}}","entity":"{{entity}}","eventType":"{{type}}","userId":"{{UserId}}","dataRef":"https://basiq/users/{{UserId}}/{{path}}"}""");

    private void Consents(string json) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([Consent.Parse(json)]);

    private void Connection(string id, string status) =>
        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, new(id), It.IsAny<CancellationToken>()))
            .ReturnsAsync(BasiqFunctions.Basiq.Models.Connection.Parse($$"""{"id":"{{id}}","status":"{{status}}"}"""));

    private void Connections(params string[] ids) =>
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. ids.Select(id => BasiqFunctions.Basiq.Models.Connection.Parse($$"""{"id":"{{id}}"}"""))]);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);
}
