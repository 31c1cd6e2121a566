using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Time.Testing;
using NonDeterministicOrchestrationException = DurableTask.Core.Exceptions.NonDeterministicOrchestrationException;
using OrchestrationAlreadyExistsException = DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>What LocalHost promises of orchestrations, beyond what the app's own one uses.</summary>
[Trait("Category", "Journeys")]
public sealed class OrchestrationEngineTests : IDisposable
{
    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Probe _probe = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task An_orchestration_gets_its_activities_results_in_the_order_in_which_it_asks()
    {
        await using var engine = await StartAsync(typeof(Chain));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "a");

        var ended = await engine.EndOfAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
        Assert.Equal("\"a-1-2-3\"", ended.SerializedOutput);
        Assert.Equal("\"a\"", ended.SerializedInput);
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_last_run_stopped_and_repeats_no_recorded_activity()
    {
        string id;
        await using (var engine = await StartAsync(typeof(WaitInTheMiddle)))
        {
            id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x");
            await WaitForStatusAsync(engine, id, "waiting");
        }

        await using var restarted = await StartAsync(typeof(WaitInTheMiddle));
        await restarted.Client.RaiseEventAsync(id, "GoOn", "y");
        var ended = await restarted.EndOfAsync(id);

        Assert.Equal("\"x-1 y-1\"", ended.SerializedOutput);
        Assert.Equal(["x", "y"], _probe.Calls);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_read_after_a_restart_is_read_later_and_nothing_is_repeated()
    {
        string id;
        await using (var engine = await StartAsync(typeof(WaitInTheMiddle)))
        {
            id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x");
            await WaitForStatusAsync(engine, id, "waiting");
        }

        await using var restarted = await EngineUnderTest.StartAsync(
            _state, _clock, _probe,
            () => JournalFile.Change(_state, "ALTER TABLE turns RENAME TO away; CREATE VIEW turns AS SELECT * FROM nowhere"),
            typeof(WaitInTheMiddle), typeof(Activities));
        var raised = restarted.Client.RaiseEventAsync(id, "GoOn", "y");
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(raised.IsCompleted), isRefused => isRefused, () => _clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal("journal", (await Assert.ThrowsAsync<StoreUnavailableException>(() => raised)).Store);
        Assert.Contains("Cannot use the journal", restarted.Logs.Text, StringComparison.Ordinal);
        JournalFile.Change(_state, "DROP VIEW turns; ALTER TABLE away RENAME TO turns");
        raised = restarted.Client.RaiseEventAsync(id, "GoOn", "y");
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(raised.IsCompleted), isTaken => isTaken, () => _clock.Advance(TimeSpan.FromSeconds(1)));
        await raised;

        Assert.Equal("\"x-1 y-1\"", (await restarted.EndOfAsync(id)).SerializedOutput);
        Assert.Equal(["x", "y"], _probe.Calls);
    }

    [Fact]
    public async Task A_start_that_the_journal_does_not_take_fails_and_can_be_made_again_and_an_event_is_refused_meanwhile()
    {
        await using var engine = await StartAsync(typeof(WaitInTheMiddle));
        var waiting = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "w");
        await WaitForStatusAsync(engine, waiting, "waiting");
        JournalFile.Change(_state, "CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT * FROM nowhere; END");

        var start = await Assert.ThrowsAsync<StoreUnavailableException>(
            () => engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x", new StartOrchestrationOptions("twice")));
        Assert.Equal("journal", start.Store);
        Assert.Null(await engine.Client.GetInstanceAsync("twice"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => engine.Client.RaiseEventAsync(waiting, "GoOn", "y"));

        JournalFile.Change(_state, "DROP TRIGGER full");
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x", new StartOrchestrationOptions("twice"));
        await WaitForStatusAsync(engine, "twice", "waiting");
        await AppUnderTest.WaitForAsync(
            async () => (await engine.Client.GetInstanceAsync(waiting))!.IsCompleted, isEnded => isEnded, () => _clock.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_turn_that_breaks_for_want_of_memory_is_taken_again()
    {
        var clock = new ShortOfMemory(_clock.GetUtcNow()) { Failures = 3 };
        await using var engine = await EngineUnderTest.StartAsync(_state, clock, _probe, typeof(Sleeper));

        var start = engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", new StartOrchestrationOptions("sleeper"));
        var ended = await AppUnderTest.WaitForAsync(
            () => engine.Client.GetInstanceAsync("sleeper"), found => found?.IsCompleted is true, () => clock.Advance(TimeSpan.FromSeconds(30)));

        await start;
        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended!.RuntimeStatus);
        Assert.Equal(0, clock.Failures);
    }

    [Fact]
    public async Task A_timer_fires_when_its_time_has_come_also_when_the_host_was_down_then()
    {
        string id;
        await using (var engine = await StartAsync(typeof(Sleeper)))
        {
            id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run");
            _clock.Advance(TimeSpan.FromMinutes(9));
            Assert.True((await engine.Client.GetInstanceAsync(id))!.IsRunning);
        }

        _clock.Advance(TimeSpan.FromMinutes(5));
        await using var restarted = await StartAsync(typeof(Sleeper));
        var ended = await restarted.EndOfAsync(id);

        Assert.Equal("\"2026-07-01T00:14:00Z\"", ended.SerializedOutput);
    }

    [Theory]
    [InlineData(-24)]
    [InlineData(24)]
    public async Task A_clock_that_is_set_neither_fires_a_timer_nor_holds_it_back_nor_moves_an_orchestrations_time(int hours)
    {
        var clock = new SetClock(_clock.GetUtcNow());
        await using var engine = await EngineUnderTest.StartAsync(_state, clock, _probe, typeof(Sleeper));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run");

        clock.Offset = TimeSpan.FromHours(hours);
        clock.Advance(TimeSpan.FromMinutes(9));
        Assert.True((await engine.Client.GetInstanceAsync(id))!.IsRunning);
        clock.Advance(TimeSpan.FromMinutes(1));
        var ended = await engine.EndOfAsync(id);

        Assert.Equal("\"2026-07-01T00:10:00Z\"", ended.SerializedOutput);
    }

    [Theory]
    [InlineData(typeof(OtherActivity), "'AddTwo'")]
    [InlineData(typeof(OtherInput), "it asks for activity 0 'AddOne' with another input than its history has")]
    [InlineData(typeof(FewerSteps), "hasn't (yet?) scheduled this task")]
    [InlineData(typeof(MoreSteps), "it asks for activity 1 'AddOne', which its history does not have")]
    [InlineData(typeof(EndsAtOnce), "it ends, which it did not when its history was written")]
    public async Task An_orchestrator_that_changed_between_runs_fails_and_says_how(Type changed, string difference)
    {
        string id;
        await using (var engine = await StartAsync(typeof(WaitInTheMiddle)))
        {
            id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x");
            await WaitForStatusAsync(engine, id, "waiting");
        }

        await using var restarted = await StartAsync(changed);
        var ended = await restarted.EndOfAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Equal(typeof(NonDeterministicOrchestrationException).FullName, ended.FailureDetails!.ErrorType);
        Assert.Contains(difference, ended.FailureDetails.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(["x"], _probe.Calls);
    }

    [Fact]
    public async Task An_orchestrator_that_awaits_what_its_context_did_not_give_fails_and_says_so()
    {
        await using var engine = await StartAsync(typeof(AwaitsOutsiders));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run");

        _probe.Outsider.SetResult();
        var ended = await engine.EndOfAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("awaited a task that its context did not give", ended.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_activity_is_tried_again_as_its_policy_says()
    {
        await using var engine = await StartAsync(typeof(Retries));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run");

        var ended = await AppUnderTest.WaitForAsync(
            () => engine.Client.GetInstanceAsync(id, getInputsAndOutputs: true), i => i!.IsCompleted,
            () => _clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended!.RuntimeStatus);
        Assert.Equal("\"System.InvalidOperationException: no 3\"", ended.SerializedOutput);
        Assert.Equal(3, _probe.Calls.Count);
    }

    [Fact]
    public async Task An_id_in_use_cannot_be_started_again_until_the_orchestration_has_ended()
    {
        await using var engine = await StartAsync(typeof(WaitInTheMiddle));
        var options = new StartOrchestrationOptions("one");
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x", options);

        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(
            () => engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "y", options));
        await engine.Client.TerminateInstanceAsync("one", new TerminateInstanceOptions("enough"));
        var ended = await engine.Client.GetInstanceAsync("one", getInputsAndOutputs: true);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, ended!.RuntimeStatus);
        Assert.Equal("\"enough\"", ended.SerializedOutput);

        await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "z", options);
        await engine.Client.RaiseEventAsync("one", "goon", "!");
        var again = await engine.EndOfAsync("one");
        Assert.Equal("\"z-1 !-1\"", again.SerializedOutput);
    }

    [Fact]
    public async Task A_purge_forgets_what_has_ended_and_keeps_what_runs()
    {
        await using var engine = await StartAsync(typeof(WaitInTheMiddle));
        foreach (var id in new[] { "a-1", "a-2", "b-1" })
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", id, new StartOrchestrationOptions(id));
        await engine.Client.TerminateInstanceAsync("a-1");

        Assert.Equal(0, (await engine.Client.PurgeInstanceAsync("a-2")).PurgedInstanceCount);
        var purged = await engine.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter());

        Assert.Equal(1, purged.PurgedInstanceCount);
        Assert.Null(await engine.Client.GetInstanceAsync("a-1"));
        var left = await engine.Client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "a-", PageSize: 1)).ToListAsync();
        Assert.Equal("a-2", Assert.Single(left).InstanceId);
    }

    [Fact]
    public async Task A_custom_status_over_sixteen_kibibytes_fails_as_it_does_in_Azure()
    {
        await using var engine = await StartAsync(typeof(LongStatus));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run");

        var ended = await engine.EndOfAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("custom status", ended.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_is_not_what_the_orchestrator_awaits_can_be_caught_now_and_on_replay()
    {
        await using (var engine = await StartAsync(typeof(ExpectsNumberOfActivity)))
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", "x", new StartOrchestrationOptions("one"));
            await WaitForStatusAsync(engine, "one", "caught");
        }

        await using var restarted = await StartAsync(typeof(ExpectsNumberOfActivity));
        await restarted.Client.RaiseEventAsync("one", "GoOn", "y").WaitAsync(TimeSpan.FromMinutes(1));
        var ended = await restarted.EndOfAsync("one");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("JsonException", ended.FailureDetails!.ErrorType, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_is_no_JSON_fails_the_orchestration()
    {
        await using var engine = await StartAsync(typeof(EndlessOutput));
        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run").WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(OrchestrationRuntimeStatus.Failed, (await engine.EndOfAsync(id)).RuntimeStatus);
    }

    private Task<EngineUnderTest> StartAsync(Type orchestrator) =>
        EngineUnderTest.StartAsync(_state, _clock, _probe, orchestrator, typeof(Activities));

    public sealed class Probe
    {
        public ConcurrentQueue<string> Calls { get; } = [];

        public TaskCompletionSource Outsider { get; } = new();
    }

    public sealed class Activities(Probe probe)
    {
        [Function("AddOne")]
        public string AddOne([ActivityTrigger] string text)
        {
            probe.Calls.Enqueue(text);
            return text + "-1";
        }

        [Function("AddTwo")]
        public static Task<string> AddTwo([ActivityTrigger] string text) => Task.FromResult(text + "-2");

        [Function("AddThree")]
        public static string AddThree([ActivityTrigger] string text) => text + "-3";

        [Function("Fail")]
        public void Fail([ActivityTrigger] string text)
        {
            probe.Calls.Enqueue(text);
            throw new InvalidOperationException($"no {probe.Calls.Count}");
        }
    }

    public static class Chain
    {
        [Function("Run")]
        public static async Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            var text = context.GetInput<string>()!;
            foreach (var activity in new[] { "AddOne", "AddTwo", "AddThree" })
                text = await context.CallActivityAsync<string>(activity, text);
            return text;
        }
    }

    public static class WaitInTheMiddle
    {
        [Function("Run")]
        public static async Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            var before = await context.CallActivityAsync<string>("AddOne", context.GetInput<string>());
            context.SetCustomStatus("waiting");
            var more = await context.WaitForExternalEvent<string>("GoOn");
            return $"{before} {await context.CallActivityAsync<string>("AddOne", more)}";
        }
    }

    public static class OtherActivity
    {
        [Function("Run")]
        public static Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context) =>
            context.CallActivityAsync<string>("AddTwo", context.GetInput<string>());
    }

    public static class OtherInput
    {
        [Function("Run")]
        public static Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context) =>
            context.CallActivityAsync<string>("AddOne", context.GetInput<string>() + "?");
    }

    public static class FewerSteps
    {
        [Function("Run")]
        public static Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context) =>
            context.WaitForExternalEvent<string>("GoOn");
    }

    public static class EndsAtOnce
    {
        [Function("Run")]
        public static Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context) => Task.FromResult("");
    }

    public static class MoreSteps
    {
        [Function("Run")]
        public static async Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            var both = await Task.WhenAll(
                context.CallActivityAsync<string>("AddOne", context.GetInput<string>()), context.CallActivityAsync<string>("AddOne", "more"));
            return string.Concat(both);
        }
    }

    public static class Sleeper
    {
        [Function("Run")]
        public static async Task<DateTime> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            await context.CreateTimer(context.CurrentUtcDateTime.AddMinutes(10), CancellationToken.None);
            return context.CurrentUtcDateTime;
        }
    }

    public sealed class AwaitsOutsiders(Probe probe)
    {
        [Function("Run")]
        public async Task Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            await probe.Outsider.Task;
            context.SetCustomStatus("never");
        }
    }

    public static class Retries
    {
        [Function("Run")]
        public static async Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            try
            {
                await context.CallActivityAsync("Fail", "x", TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromSeconds(5), 2)));
                return "";
            }
            catch (TaskFailedException exception)
            {
                return $"{exception.FailureDetails.ErrorType}: {exception.FailureDetails.ErrorMessage}";
            }
        }
    }

    public static class LongStatus
    {
        [Function("Run")]
        public static Task Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            context.SetCustomStatus(new string('x', 9_000));
            return Task.CompletedTask;
        }
    }

#pragma warning disable DURABLE2002 // It expects what the activity does not return: that is what it is for.
    public static class ExpectsNumberOfActivity
    {
        [Function("Run")]
        public static async Task Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            try
            {
                await context.CallActivityAsync<int>("AddOne", "x");
            }
            catch (JsonException)
            {
                context.SetCustomStatus("caught");
                await context.WaitForExternalEvent<string>("GoOn");
                throw;
            }
        }
    }
#pragma warning restore DURABLE2002

    public static class EndlessOutput
    {
        [Function("Run")]
        public static Task<Endless> Run([OrchestrationTrigger] TaskOrchestrationContext context) => Task.FromResult(new Endless());
    }

    public sealed class Endless
    {
        public Endless Itself => this;
    }

    private static Task<OrchestrationMetadata?> WaitForStatusAsync(EngineUnderTest engine, string id, string status) =>
        AppUnderTest.WaitForAsync(
            () => engine.Client.GetInstanceAsync(id, getInputsAndOutputs: true), i => i!.SerializedCustomStatus == $"\"{status}\"");

    /// <summary>A clock that has no memory for its first timers.</summary>
    private sealed class ShortOfMemory(DateTimeOffset now) : FakeTimeProvider(now)
    {
        public int Failures { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (Failures == 0)
                return base.CreateTimer(callback, state, dueTime, period);
            Failures--;
            throw new InsufficientMemoryException();
        }
    }
}
