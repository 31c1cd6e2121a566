using BasiqFunctions.Basiq;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>Whatever Basiq lists is taken, over all of its pages, each once, and whatever goes wrong on the way.</summary>
public sealed class EventReconciliationTests : IDisposable
{
    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Every_page_is_taken_and_nothing_twice()
    {
        Page(null, "p2", Revoked("e1"), Event("e2", "consent", "expired"));
        Page("p2", "p3", Event("e3", "user", "deleted"), Event("e4", "user", "created"), Event("a/b", "consent", "revoked"));
        Page("p3", null, Event("e5", "transactions", "updated"), Revoked("e1"));

        await RunAsync();
        await RunAsync();

        Assert.Equal(["event-e1", "event-e2", "event-e3", "event-e5"], _scene.Durable.Scheduled);
        Assert.Contains("No webhook had told of 4 events", _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_breaks_off_is_gone_on_with_by_the_next_run_and_what_came_before_is_kept()
    {
        Page(null, "p2", Revoked("e1"), Revoked("e2"));
        _scene.Basiq.Setup(b => b.ListEventsAsync("p2", It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, endpoint: "GET /events"));
        await Assert.ThrowsAsync<BasiqException>(RunAsync);
        Assert.Equal(["event-e1", "event-e2"], _scene.Durable.Scheduled);
        Assert.Contains("No webhook had told of 2 events", _scene.Logs.Text, StringComparison.Ordinal);

        // Meanwhile there is a new one, and what was listed first is listed on the second page.
        Page(null, "p2", Revoked("e0"), Revoked("e1"));
        Page("p2", null, Revoked("e2"), Revoked("e3"));
        await RunAsync();
        Assert.Equal(["event-e1", "event-e2", "event-e0", "event-e3"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task An_event_that_cannot_be_scheduled_keeps_no_other_waiting_and_is_scheduled_later()
    {
        Page(null, null, Revoked("e1"), Revoked("e2"), Revoked("e3"));
        _scene.Durable.BeforeSchedule = id => id == "event-e2" ? throw new InvalidOperationException("as the test wants") : Task.CompletedTask;
        await RunAsync();
        Assert.Equal(["event-e1", "event-e3"], _scene.Durable.Scheduled);

        _scene.Durable.BeforeSchedule = _ => Task.CompletedTask;
        await new RetakeEvents(_scene.Get<EventIntake>()).Run(null!, _scene.Durable.Client, default);
        await RunAsync();
        Assert.Equal(["event-e1", "event-e3", "event-e2"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_page_that_leads_to_itself_is_the_last()
    {
        Page(null, "p2", Revoked("e1"));
        Page("p2", "p2", Revoked("e2"));
        await RunAsync();
        Assert.Equal(["event-e1", "event-e2"], _scene.Durable.Scheduled);
    }

    private static BasiqEvent Revoked(string id) => Event(id, "consent", "revoked");

    private static BasiqEvent Event(string id, string entity, string type) =>
        BasiqEvent.Parse($$"""{"id":"{{id}}","entity":"{{entity}}","eventType":"{{type}}","userId":"user-1"}""");

    private void Page(string? link, string? next, params BasiqEvent[] events) =>
        _scene.Basiq.Setup(b => b.ListEventsAsync(link, It.IsAny<CancellationToken>())).ReturnsAsync(new BasiqEventsPage(events, next));

    private Task RunAsync() =>
        new ReconcileEvents(_scene.Get<EventReconciliation>()).Run(null!, _scene.Durable.Client, default);
}
