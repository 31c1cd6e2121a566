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
        Assert.InRange(calls[1] - calls[0], TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));
        Assert.InRange(calls[12] - calls[11], TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(62));
        Assert.Empty(_script.HandedBack);
    }

    [Fact]
    public async Task What_is_not_complete_is_gone_on_with()
    {
        _script.Act = call => new(Removed with { IsComplete = call == 2 });
        Assert.Equal(Removed, await RunAsync());
        Assert.Empty(_script.HandedBack);
    }

    [Fact]
    public async Task A_wait_that_Basiq_asks_for_is_kept()
    {
        _script.Act = call => call == 1 ? Failed(BasiqFailureKind.Overloaded, "too-many-requests", true, TimeSpan.FromMinutes(45)) : new(Removed);
        Assert.Equal(Removed, await RunAsync());
        Assert.InRange(_script.Acted[1] - _script.Acted[0], TimeSpan.FromMinutes(45), TimeSpan.FromMinutes(75));
    }

    [Fact]
    public async Task What_waiting_does_not_help_is_handed_back_at_once()
    {
        _script.Act = _ => Failed(BasiqFailureKind.UnusableAnswer, "unexpected-shape");
        Assert.Null(await RunAsync());
        Assert.Single(_script.Acted);
        Assert.Equal(new EventInput("e1", "m1", Start), Assert.Single(_script.HandedBack));
    }

    [Fact]
    public async Task An_event_that_stays_unhandled_for_more_than_a_day_is_handed_back_as_of_when_it_was_first_taken()
    {
        _script.Act = call => call % 2 == 0 ? Failed(BasiqFailureKind.Unauthorized, "unauthorized") : new(Removed with { IsComplete = false });
        Assert.Null(await RunAsync());
        Assert.Equal(36, _script.Acted.Length);
        Assert.True(_script.Acted[^1] - Start > TimeSpan.FromDays(1));
        Assert.Equal(Start, Assert.Single(_script.HandedBack).FirstTakenAt);

        Assert.Null(await RunAsync(input: _script.HandedBack[0]));
        Assert.Equal([Start, Start], _script.HandedBack.Select(input => input.FirstTakenAt));
    }

    [Fact]
    public async Task An_event_that_Basiq_does_not_have_is_waited_for_for_hours_and_later_only_looked_for()
    {
        _script.Act = _ => Failed(BasiqFailureKind.NotFound, "resource-not-found");
        Assert.Null(await RunAsync());
        Assert.True(_script.Acted[^1] - Start >= TimeSpan.FromHours(6));
        var looks = _script.Acted.Length;
        Assert.Null(await RunAsync(input: Assert.Single(_script.HandedBack)));
        Assert.Equal(looks + 1, _script.Acted.Length);
    }

    [Fact]
    public async Task An_event_whose_handling_keeps_breaking_is_handed_back_however_long_that_breaks_as_well()
    {
        _script.Act = _ => throw new IOException("storage is away");
        _script.HandBack = call => _ = call < 20 ? throw new IOException("storage is away") : call;
        Assert.Null(await RunAsync());
        Assert.Equal(10, _script.Acted.Length);
        Assert.Equal(20, _script.HandedBack.Length);
    }

    private static Outcome<EventHandled> Failed(BasiqFailureKind kind, string code, bool isTransient = false, TimeSpan? retryAfter = null) =>
        new(null, new UpstreamFailure(kind.ToString(), code, isTransient, RetryAfterSeconds: retryAfter?.TotalSeconds));

    /// <summary>Runs an event's orchestration to its end while time passes, and returns what came of it.</summary>
    private async Task<EventHandled?> RunAsync(TimeSpan? step = null, EventInput? input = null)
    {
        await using var engine = await EngineUnderTest.StartAsync(_state, _clock, _script, typeof(EventOrchestration), typeof(Activities));
        var instanceId = EventOrchestration.InstanceIdFor("e1");
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(
            EventOrchestration.Name, input ?? new EventInput("e1", "m1"), new StartOrchestrationOptions(instanceId));
        var ended = await AppUnderTest.WaitForAsync(
            () => engine.Client.GetInstanceAsync(instanceId, getInputsAndOutputs: true), i => i!.IsCompleted, () => _clock.Advance(step ?? Step));
        Assert.True(
            ended!.RuntimeStatus is OrchestrationRuntimeStatus.Completed, $"It {ended.RuntimeStatus}: {ended.FailureDetails?.ErrorMessage}");
        return ended.SerializedOutput is { } output ? JsonSerializer.Deserialize<EventHandled>(output) : null;
    }

    public sealed class Script(TimeProvider clock)
    {
        private readonly ConcurrentQueue<DateTimeOffset> _acted = [];
        private readonly ConcurrentQueue<EventInput> _handedBack = [];

        public Func<int, Outcome<EventHandled>> Act { get; set; } = _ => new(Removed);

        public Action<int> HandBack { get; set; } = _ => { };

        /// <summary>When each attempt to act was made.</summary>
        public DateTimeOffset[] Acted => [.. _acted];

        /// <summary>What each attempt to hand back was given.</summary>
        public EventInput[] HandedBack => [.. _handedBack];

        public Outcome<EventHandled> NoteAct()
        {
            _acted.Enqueue(clock.GetUtcNow());
            return Act(_acted.Count);
        }

        public void NoteHandBack(EventInput input)
        {
            _handedBack.Enqueue(input);
            HandBack(_handedBack.Count);
        }
    }

    public sealed class Activities(Script script)
    {
        [Function(nameof(EventActivities.ActOnEvent))]
        public Outcome<EventHandled> ActOnEvent([ActivityTrigger] EventInput input) => script.NoteAct();

        [Function(nameof(EventActivities.HandEventBack))]
        public Task HandEventBack([ActivityTrigger] EventInput input)
        {
            script.NoteHandBack(input);
            return Task.CompletedTask;
        }
    }
}
