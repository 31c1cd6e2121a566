using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>Whatever Basiq lists is taken, over all of its pages, each once, and whatever goes wrong on the way.</summary>
[Trait("Category", "Unit")]
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
        await RetakeAsync();
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

    [Fact]
    public async Task What_was_given_up_is_tried_again_by_the_daily_look_alone_until_it_is_handled()
    {
        await _scene.PublishAsync("user-1", "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync("user-1", It.IsAny<CancellationToken>())).ReturnsAsync([Consent.Parse("""{"id":"x","status":"revoked"}""")]);
        Page(null, null, Revoked("e1"));
        await RunAsync();
        await GiveUpAsync(_scene, new EventInput("e1", null, _scene.Clock.GetUtcNow()));
        Assert.False(await _scene.Get<EventIntake>().TakeAsync(_scene.Durable.Client, new EventInput("e1", "another-message"), default));
        await RetakeAsync();
        Assert.Equal(["event-e1"], _scene.Durable.Scheduled);

        // Twice, for the run that the first brings about takes its time; and a second time, for that run comes to nothing, too.
        for (var day = 1; day <= 2; day++)
        {
            _scene.Clock.Advance(TimeSpan.FromDays(1));
            await RunAsync();
            await RunAsync();
            await RetakeAsync();
            Assert.Equal(Enumerable.Repeat("event-e1", day + 1), _scene.Durable.Scheduled);
            if (day == 1)
                await GiveUpAsync(_scene, await InputOfAsync("e1"));
        }

        _scene.Basiq.Setup(b => b.GetEventAsync("e1", It.IsAny<CancellationToken>())).ReturnsAsync(Revoked("e1"));
        var outcome = await ActivatorUtilities.CreateInstance<EventActivities>(_scene.Services)
            .ActOnEvent(await InputOfAsync("e1"), _scene.Durable.Client, default);
        Assert.Equal("removed", outcome.Value?.Outcome);
        _scene.Durable.Set("event-e1", OrchestrationRuntimeStatus.Completed);
        await RunAsync();
        Assert.Equal(3, _scene.Durable.Scheduled.Count);
        Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync("user-1", default));
    }

    [Fact]
    public async Task What_was_given_up_is_dropped_when_Basiq_lists_it_no_longer_and_said_so()
    {
        using var telemetry = new TelemetryCapture();
        using var scene = new UsersScene();
        scene.Basiq.Setup(b => b.ListEventsAsync(null, It.IsAny<CancellationToken>())).ReturnsAsync(new BasiqEventsPage([], null));
        await GiveUpAsync(scene, new EventInput("e1", null, scene.Clock.GetUtcNow()));
        scene.Clock.Advance(TimeSpan.FromDays(7));

        await RunAsync(scene);
        await RunAsync(scene);

        Assert.Empty(scene.Durable.Scheduled);
        Assert.Single(scene.Logs.Lines, line => line.Contains("Event e1 is dropped", StringComparison.Ordinal));
        var counted = telemetry.SumsOf(scene.Services, "basiq.events");
        Assert.Equal((1, 1), (counted["other given-up"], counted["other dropped"]));
    }

    [Fact]
    public async Task What_was_given_up_and_cannot_be_scheduled_keeps_no_other_waiting_and_has_its_turn_the_next_day()
    {
        Page(null, null, Revoked("e3"));
        foreach (var id in new[] { "e1", "e2" })
            await GiveUpAsync(_scene, new EventInput(id, null, _scene.Clock.GetUtcNow()));
        _scene.Durable.BeforeSchedule = id => id == "event-e1" ? throw new InvalidOperationException("as the test wants") : Task.CompletedTask;
        await RunAsync();
        Assert.Equal(["event-e2", "event-e3"], _scene.Durable.Scheduled);

        _scene.Durable.BeforeSchedule = _ => Task.CompletedTask;
        await RunAsync();
        Assert.Equal(["event-e2", "event-e3", "event-e1"], _scene.Durable.Scheduled);
    }

    /// <summary>What the run of an event that comes to nothing does in the end.</summary>
    private static async Task GiveUpAsync(UsersScene scene, EventInput happened)
    {
        var activities = ActivatorUtilities.CreateInstance<EventActivities>(scene.Services);
        await activities.HandEventBack(happened, default);
        scene.Durable.Set($"event-{happened.EventId}", OrchestrationRuntimeStatus.Completed);
    }

    private async Task<EventInput> InputOfAsync(string id) =>
        JsonSerializer.Deserialize<EventInput>((await _scene.Durable.Client.GetInstanceAsync($"event-{id}", true))!.SerializedInput!)!;

    private Task RetakeAsync() => new RetakeEvents(_scene.Get<EventIntake>()).Run(null!, _scene.Durable.Client, default);

    private static BasiqEvent Revoked(string id) => Event(id, "consent", "revoked");

    private static BasiqEvent Event(string id, string entity, string type) =>
        BasiqEvent.Parse($$"""{"id":"{{id}}","entity":"{{entity}}","eventType":"{{type}}","userId":"user-1"}""");

    private void Page(string? link, string? next, params BasiqEvent[] events) =>
        _scene.Basiq.Setup(b => b.ListEventsAsync(link, It.IsAny<CancellationToken>())).ReturnsAsync(new BasiqEventsPage(events, next));

    private Task RunAsync() => RunAsync(_scene);

    private static Task RunAsync(UsersScene scene) =>
        new ReconcileEvents(scene.Get<EventReconciliation>()).Run(null!, scene.Durable.Client, default);
}
