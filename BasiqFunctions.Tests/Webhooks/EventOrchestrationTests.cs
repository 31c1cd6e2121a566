using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using BasiqFunctions.Webhooks;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>The orchestration of an event on LocalHost's engine, with activities that a test scripts.</summary>
[Trait("Category", "Journeys")]
public sealed class EventOrchestrationTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);
    private static readonly EventHandled Removed = new("consent.revoked", "removed");

    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = new(Start);
    private readonly Script _script;

    public EventOrchestrationTests() => _script = new Script(_clock);

    public void Dispose() => _state.Dispose();

    [Theory]
    [InlineData(BasiqFailureKind.Unavailable, "http-503", true)]
    [InlineData(BasiqFailureKind.Unauthorized, "api-key-missing", false)]
    [InlineData(BasiqFailureKind.Unauthorized, "unauthorized", false)]
    [InlineData(BasiqFailureKind.Forbidden, "access-denied", false)]
    [InlineData(BasiqFailureKind.NotFound, "resource-not-found", false)]
    public async Task What_may_pass_is_waited_for_longer_each_time_until_the_event_is_handled(BasiqFailureKind kind, string code, bool isTransient)
    {
        _script.Act = call => call <= 12 ? Failed(kind, code, isTransient) : new(Removed);

        Assert.Equal(Removed, await RunAsync(TimeSpan.FromSeconds(30)));

        var calls = _script.Acted;
        Assert.Equal(13, calls.Length);
        Assert.InRange(calls[1].At - calls[0].At, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));
        Assert.InRange(calls[12].At - calls[11].At, TimeSpan.FromHours(2.8), TimeSpan.FromHours(2.9));
    }

    [Fact]
    public async Task What_is_not_complete_is_gone_on_with()
    {
        _script.Act = call => new(Removed with { IsComplete = call == 2 });
        Assert.Equal(Removed, await RunAsync());
    }

    [Fact]
    public async Task A_wait_that_Basiq_asks_for_is_kept()
    {
        _script.Act = call => call == 1 ? Failed(BasiqFailureKind.Overloaded, "too-many-requests", true, TimeSpan.FromMinutes(45)) : new(Removed);
        Assert.Equal(Removed, await RunAsync());
        Assert.InRange(_script.Acted[1].At - _script.Acted[0].At, TimeSpan.FromMinutes(45), TimeSpan.FromMinutes(75));
    }

    [Fact]
    public async Task What_waiting_does_not_help_is_tried_once_a_day_for_as_long_as_Basiq_lists_it()
    {
        _script.Act = _ => Failed(BasiqFailureKind.UnusableAnswer, "unexpected-shape");
        Assert.Null(await RunAsync());
        Assert.Equal(Enumerable.Range(0, 7), _script.Acted.Select(call => (int)(call.At - Start).TotalDays));
        Assert.Equal([false, false, false, false, false, false, true], _script.Acted.Select(call => call.Input.IsLastTry));
        Assert.All(_script.Acted, call => Assert.Equal(new EventInput("e1", "m1"), call.Input with { IsLastTry = false }));
    }

    [Fact]
    public async Task What_stays_unhandled_is_tried_within_minutes_and_at_last_once_a_day_and_is_dropped_within_the_week()
    {
        _script.Act = call => call % 2 == 0 ? Failed(BasiqFailureKind.Unauthorized, "unauthorized") : new(Removed with { IsComplete = false });
        Assert.Null(await RunAsync());
        var calls = _script.Acted;
        Assert.InRange(calls.Length, 15, 25);
        Assert.InRange(calls[^1].At - Start, TimeSpan.FromDays(6), TimeSpan.FromDays(7));
        Assert.InRange(calls[^1].At - calls[^2].At, TimeSpan.FromDays(1), TimeSpan.FromDays(1) + Step);
        Assert.True(calls[^1].Input.IsLastTry);
        Assert.DoesNotContain(calls[..^1], call => call.Input.IsLastTry);
    }

    [Fact]
    public async Task What_succeeds_at_the_last_try_is_handled()
    {
        _script.Act = call => _script.Acted[^1].Input.IsLastTry ? new(Removed) : Failed(BasiqFailureKind.Unavailable, "http-503", true);
        Assert.Equal(Removed, await RunAsync());
    }

    [Fact]
    public async Task An_event_that_Basiq_does_not_have_is_looked_for_often_for_hours_and_then_once_a_day()
    {
        _script.Act = _ => Failed(BasiqFailureKind.NotFound, "resource-not-found");
        Assert.Null(await RunAsync());
        var late = _script.Acted.Where(call => call.At - Start >= TimeSpan.FromHours(6)).ToArray();
        Assert.True(_script.Acted.Length - late.Length > 5);
        Assert.All(late.Zip(late.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task An_event_whose_handling_keeps_breaking_is_tried_on_and_keeps_breaking_nothing_else()
    {
        _script.Act = call => call <= 10 ? throw new IOException("storage is away") : new(Removed);
        Assert.Equal(Removed, await RunAsync());
        Assert.Equal(11, _script.Acted.Length);
    }

    [Fact]
    public async Task Whoever_asks_is_told_how_often_it_was_tried_what_it_waits_for_and_what_came_of_it()
    {
        _script.Act = call => call <= 2 ? Failed(BasiqFailureKind.Unavailable, "http-503", true) : new(Removed);
        await using var engine = await StartAsync();
        Assert.Null(await EventOrchestration.FindAsync(engine.Client, "e1", default));
        Assert.Null(await EventOrchestration.FindAsync(engine.Client, null, default));

        await ScheduleAsync(engine);
        var waiting = await AppUnderTest.WaitForAsync(() => EventOrchestration.FindAsync(engine.Client, "e1", default), found => found is { Tries: 1 });
        Assert.Equal(new EventHandling(EventState.UnderWay, 1, null, "http-503", Start.AddSeconds(5)), waiting);

        await engine.EndOfAsync(EventOrchestration.InstanceIdFor("e1"), _clock, Step);
        Assert.Equal(new EventHandling(EventState.Done, 3, "removed"), await EventOrchestration.FindAsync(engine.Client, "e1", default));
    }

    [Fact]
    public async Task Whoever_asks_is_told_why_an_event_was_dropped()
    {
        _script.Act = _ => Failed(BasiqFailureKind.UnusableAnswer, "unexpected-shape");
        await using var engine = await StartAsync();
        await ScheduleAsync(engine);
        await engine.EndOfAsync(EventOrchestration.InstanceIdFor("e1"), _clock, Step);
        Assert.Equal(
            new EventHandling(EventState.Dropped, 7, null, "unexpected-shape"), await EventOrchestration.FindAsync(engine.Client, "e1", default));
    }

    [Fact]
    public async Task An_event_whose_orchestration_broke_is_handled_when_it_is_heard_of_again_and_one_that_was_handled_is_not()
    {
        await using (var changed = await EngineUnderTest.StartAsync(_state, _clock, _script, typeof(Broken)))
        {
            Assert.True(await EventOrchestration.StartAsync(changed.Client, new EventInput("e1", "m1"), default));
            Assert.Equal(OrchestrationRuntimeStatus.Failed, (await changed.EndOfAsync(EventOrchestration.InstanceIdFor("e1"), _clock, Step)).RuntimeStatus);
        }

        await using var engine = await StartAsync();
        Assert.True(await EventOrchestration.StartAsync(engine.Client, new EventInput("e1", "m1"), default));
        await engine.EndOfAsync(EventOrchestration.InstanceIdFor("e1"), _clock, Step);
        Assert.Equal(new EventHandling(EventState.Done, 1, "removed"), await EventOrchestration.FindAsync(engine.Client, "e1", default));
        Assert.False(await EventOrchestration.StartAsync(engine.Client, new EventInput("e1", "m1"), default));
    }

    private static Outcome<EventHandled> Failed(BasiqFailureKind kind, string code, bool isTransient = false, TimeSpan? retryAfter = null) =>
        new(null, new UpstreamFailure(kind.ToString(), code, isTransient, RetryAfterSeconds: retryAfter?.TotalSeconds));

    /// <summary>Runs an event's orchestration to its end while time passes, and returns what came of it.</summary>
    private async Task<EventHandled?> RunAsync(TimeSpan? step = null)
    {
        await using var engine = await StartAsync();
        await ScheduleAsync(engine);
        var ended = await engine.EndOfAsync(EventOrchestration.InstanceIdFor("e1"), _clock, step ?? Step);
        Assert.True(
            ended.RuntimeStatus is OrchestrationRuntimeStatus.Completed, $"It {ended.RuntimeStatus}: {ended.FailureDetails?.ErrorMessage}");
        return ended.SerializedOutput is { } output ? JsonSerializer.Deserialize<EventHandled>(output) : null;
    }

    private Task<EngineUnderTest> StartAsync() =>
        EngineUnderTest.StartAsync(_state, _clock, _script, typeof(EventOrchestration), typeof(Activities));

    private static Task ScheduleAsync(EngineUnderTest engine) => engine.Client.ScheduleNewOrchestrationInstanceAsync(
        EventOrchestration.Name, new EventInput("e1", "m1"), new StartOrchestrationOptions(EventOrchestration.InstanceIdFor("e1")));

    public sealed class Script(TimeProvider clock)
    {
        private readonly ConcurrentQueue<(DateTimeOffset At, EventInput Input)> _acted = [];

        public Func<int, Outcome<EventHandled>> Act { get; set; } = _ => new(Removed);

        /// <summary>When each try was made, and what it was given.</summary>
        public (DateTimeOffset At, EventInput Input)[] Acted => [.. _acted];

        public Outcome<EventHandled> Note(EventInput input)
        {
            _acted.Enqueue((clock.GetUtcNow(), input));
            return Act(_acted.Count);
        }
    }

    public static class Broken
    {
        [Function(EventOrchestration.Name)]
        public static Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context) => throw new InvalidOperationException("its history is another's");
    }

    public sealed class Activities(Script script)
    {
        [Function(nameof(EventActivities.ActOnEvent))]
        public Outcome<EventHandled> ActOnEvent([ActivityTrigger] EventInput input) => script.Note(input);
    }
}
