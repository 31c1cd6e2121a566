using System.Globalization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>Whatever Basiq lists that obliges is taken, over all of its pages, each once, and no more is read than is new.</summary>
[Trait("Category", "Unit")]
public sealed class EventReconciliationTests : IDisposable
{
    private readonly UsersScene _scene = new();
    private readonly List<string> _asked = [];

    public EventReconciliationTests()
    {
        _scene.Clock.Advance(TimeSpan.FromDays(11));
        _scene.Basiq.Setup(b => b.ListEventsAsync(It.IsAny<BasiqFilter>(), It.IsAny<string?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync(new BasiqEventsPage([], null));
    }

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Every_page_of_what_obliges_is_taken_and_nothing_twice()
    {
        Page("consent", null, "p2", Revoked("e1"), Event("e2", "consent", "expired"), Event("e3", "consent", "reminder"));
        Page("consent", "p2", null, Event("a/b", "consent", "revoked"), Revoked("e4"));
        Page("user", null, null, Event("e5", "user", "deleted"), Event("e6", "user", "created"));
        Page("connection", null, null, Event("e7", "connection", "deleted"), Revoked("e1"));

        await RunAsync();
        await RunAsync();

        Assert.Equal(["event-e1", "event-e2", "event-e4", "event-e5", "event-e7"], _scene.Durable.Scheduled.Order(StringComparer.Ordinal));
        Assert.Contains("Reconciled 3 events that no webhook delivered", _scene.Logs.Text, StringComparison.Ordinal);
        _scene.Basiq.Verify(
            b => b.ListEventsAsync(It.Is<BasiqFilter?>(f => f == null), It.IsAny<string?>(), It.IsAny<CancellationToken>()), Times.Never);
    }

    [Fact]
    public async Task Pages_that_the_run_before_has_taken_are_not_read_again_but_for_a_day_of_overlap()
    {
        Page("consent", null, "p2", Revoked("e9", day: 9), Revoked("e8", day: 8));
        Page("consent", "p2", "p3", Revoked("e7", day: 7), Revoked("e6", day: 6));
        Page("consent", "p3", null, Revoked("e5", day: 5));
        await RunAsync();
        Assert.Equal(["", "p2", "p3"], _asked);

        Page("consent", null, "p1", Revoked("e10", day: 10));
        Page("consent", "p1", "p2", Revoked("e9", day: 9), Revoked("late", day: 8.5), Revoked("e8", day: 7.9));
        _asked.Clear();
        await RunAsync();
        Assert.Equal(["", "p1"], _asked);
        Assert.Equal(["event-e10", "event-late"], _scene.Durable.Scheduled.Skip(5));
    }

    [Fact]
    public async Task An_event_of_the_years_to_come_has_no_later_one_left_unread()
    {
        Page("consent", null, null, Revoked("odd", day: 4000), Revoked("e9", day: 9));
        await RunAsync();
        Page("consent", null, null, Revoked("odd", day: 4000), Revoked("e10", day: 10));
        await RunAsync();
        Assert.Equal(["event-odd", "event-e9", "event-e10"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_list_that_is_not_newest_first_is_read_to_its_end()
    {
        Page("consent", null, null, Revoked("e9", day: 9));
        await RunAsync();

        Page("consent", null, "p2", Revoked("e1", day: 1), Revoked("e2", day: 2));
        Page("consent", "p2", "p3", Revoked("e3", day: 3));
        Page("consent", "p3", null, Revoked("e10", day: 10), BasiqEvent.Parse("""{"id":"undated","entity":"consent","eventType":"revoked"}"""));
        await RunAsync();
        Assert.Equal(["event-e9", "event-e10", "event-undated"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task What_breaks_off_is_gone_on_with_by_the_next_run_and_what_came_before_is_kept()
    {
        Page("consent", null, "p2", Revoked("e9", day: 9), Revoked("e8", day: 8));
        _scene.Basiq.Setup(b => b.ListEventsAsync(BasiqFilter.EventEntity("consent"), "p2", It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, endpoint: "GET /events"));
        Page("user", null, null, Event("e5", "user", "deleted"));
        await Assert.ThrowsAsync<BasiqException>(RunAsync);
        Assert.Equal(["event-e5", "event-e8", "event-e9"], _scene.Durable.Scheduled.Order(StringComparer.Ordinal));
        Assert.Contains("Reconciled 2 events that no webhook delivered", _scene.Logs.Text, StringComparison.Ordinal);

        Page("consent", "p2", null, Revoked("e1", day: 1));
        await RunAsync();
        Assert.Equal("event-e1", _scene.Durable.Scheduled[^1]);
    }

    [Fact]
    public async Task An_event_that_cannot_be_scheduled_keeps_no_other_waiting_and_is_scheduled_by_the_next_run()
    {
        Page("consent", null, null, Revoked("e9", day: 9), Revoked("e5", day: 5), Revoked("e1", day: 1));
        _scene.Durable.BeforeSchedule = id => id == "event-e5" ? throw new InvalidOperationException("as the test wants") : Task.CompletedTask;
        await Assert.ThrowsAsync<InvalidOperationException>(RunAsync);
        Assert.Equal(["event-e9", "event-e1"], _scene.Durable.Scheduled);

        _scene.Durable.BeforeSchedule = _ => Task.CompletedTask;
        await RunAsync();
        Assert.Equal(["event-e9", "event-e1", "event-e5"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_page_that_leads_to_itself_is_the_last()
    {
        Page("consent", null, "p2", Revoked("e1"));
        Page("consent", "p2", "p2", Revoked("e2"));
        await RunAsync();
        Assert.Equal(["event-e1", "event-e2"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task What_has_been_dropped_is_not_taken_again()
    {
        Page("consent", null, null, Revoked("e1"));
        await RunAsync();
        _scene.Durable.Set("event-e1", OrchestrationRuntimeStatus.Completed);
        await RunAsync();
        Assert.Equal(["event-e1"], _scene.Durable.Scheduled);
    }

    private static BasiqEvent Revoked(string id, double day = 1) => Event(id, "consent", "revoked", day);

    private static BasiqEvent Event(string id, string entity, string type, double day = 1)
    {
        var at = new DateTimeOffset(2024, 6, 1, 0, 0, 0, TimeSpan.Zero).AddDays(day).ToString("O", CultureInfo.InvariantCulture);
        return BasiqEvent.Parse($$"""{"id":"{{id}}","createdDate":"{{at}}","entity":"{{entity}}","eventType":"{{type}}","userId":"user-1"}""");
    }

    private void Page(string entity, string? link, string? next, params BasiqEvent[] events) =>
        _scene.Basiq.Setup(b => b.ListEventsAsync(BasiqFilter.EventEntity(entity), link, It.IsAny<CancellationToken>()))
            .Callback(() => _asked.Add(link ?? ""))
            .ReturnsAsync(new BasiqEventsPage(events, next));

    private Task RunAsync() => new ReconcileEvents(_scene.Get<EventReconciliation>()).Run(null!, _scene.Durable.Client, default);
}
