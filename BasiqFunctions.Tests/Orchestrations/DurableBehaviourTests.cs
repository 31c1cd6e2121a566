using System.Collections.Concurrent;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>Orchestrations behave under LocalHost as in Azure, with a restart of the host in the middle.</summary>
[Trait("Category", "Journeys")]
public sealed class DurableBehaviourTests : IDisposable
{
    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Probe _probe = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task What_comes_while_an_orchestration_is_suspended_is_taken_when_it_is_resumed_also_after_a_restart()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoEvents", null, new StartOrchestrationOptions("one"));
            await engine.Client.SuspendInstanceAsync("one", "holidays");
            await engine.Client.RaiseEventAsync("one", "E", "a");
            Assert.Equal(OrchestrationRuntimeStatus.Suspended, (await engine.Client.GetInstanceAsync("one"))!.RuntimeStatus);
        }

        await using var restarted = await StartAsync();
        await restarted.Client.RaiseEventAsync("one", "E", "b");
        Assert.Equal(OrchestrationRuntimeStatus.Suspended, (await restarted.Client.GetInstanceAsync("one"))!.RuntimeStatus);
        await restarted.Client.ResumeInstanceAsync("one");

        Assert.Equal("\"a b\"", (await restarted.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_suspended_orchestration_can_be_terminated()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoEvents", null, new StartOrchestrationOptions("one"));
        await engine.Client.SuspendInstanceAsync("one");

        await engine.Client.TerminateInstanceAsync("one", new TerminateInstanceOptions("enough"));

        var ended = await engine.EndOfAsync("one");
        Assert.Equal((OrchestrationRuntimeStatus.Terminated, "\"enough\""), (ended.RuntimeStatus, ended.SerializedOutput));
    }

    [Fact]
    public async Task A_terminated_orchestration_is_not_taken_up_after_a_restart()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoEvents", null, new StartOrchestrationOptions("one"));
            await engine.Client.TerminateInstanceAsync("one");
        }

        await using var restarted = await StartAsync();
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await restarted.EndOfAsync("one")).RuntimeStatus);
        await Assert.ThrowsAsync<InvalidOperationException>(() => restarted.Client.RaiseEventAsync("one", "E", "a"));
    }

    [Fact]
    public async Task An_orchestration_that_continues_as_new_forgets_its_history_and_keeps_the_events_that_it_has_not_read()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Sum", 0, new StartOrchestrationOptions("one"));
            foreach (var number in new[] { 1, 2, 3 })
                await engine.Client.RaiseEventAsync("one", "Add", number);
            await StatusAsync(engine, "one", "6");
        }

        Assert.Equal(1L, CountTurns("one"));
        await using var restarted = await StartAsync();
        await restarted.Client.RaiseEventAsync("one", "Add", 4);
        await StatusAsync(restarted, "one", "10");
        await restarted.Client.RaiseEventAsync("one", "Add", 0);

        var ended = await restarted.EndOfAsync("one");
        Assert.Equal(("10", "10"), (ended.SerializedOutput, ended.SerializedInput));
    }

    [Fact]
    public async Task Events_that_come_in_one_turn_with_a_continue_as_new_are_all_kept()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("Sum", 0, new StartOrchestrationOptions("one"));
        await engine.Client.SuspendInstanceAsync("one");
        foreach (var number in Enumerable.Range(1, 100))
            await engine.Client.RaiseEventAsync("one", "Add", number);

        await engine.Client.ResumeInstanceAsync("one");
        await StatusAsync(engine, "one", "5050");
        await engine.Client.RaiseEventAsync("one", "Add", 0);

        Assert.Equal("5050", (await engine.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_sub_orchestration_that_ends_after_a_restart_gives_its_parent_the_result()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Parent", "child", new StartOrchestrationOptions("one"));
            await RunningAsync(engine, "child");
        }

        await using var restarted = await StartAsync();
        await restarted.Client.RaiseEventAsync("child", "E", "a");
        await restarted.Client.RaiseEventAsync("child", "E", "b");

        Assert.Equal("\"child of one said a b\"", (await restarted.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_sub_orchestration_whose_end_its_parent_was_not_told_gives_the_result_after_the_restart()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Parent", "child", new StartOrchestrationOptions("one"));
            await RunningAsync(engine, "child");
            await engine.Client.RaiseEventAsync("child", "E", "a");
            await engine.Client.RaiseEventAsync("child", "E", "b");
            await engine.EndOfAsync("one");
        }

        // As if the machine had died when the child's last turn was on disk and its parent's was not.
        await using (var journal = Journal.Open(Path.Combine(_state.Path, "journal.db")))
        {
            var ended = (await journal.FindAsync("one", default))!;
            var turns = await journal.ReadHistoryAsync("one", default).ToListAsync();
            await journal.WriteTurnAsync(ended with { Status = OrchestrationRuntimeStatus.Running, Output = null }, 0, turns[0]);
        }

        await using var restarted = await StartAsync();

        Assert.Equal("\"child of one said a b\"", (await restarted.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_sub_orchestration_that_fails_fails_the_call()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("ParentOfNone", null, new StartOrchestrationOptions("one"));

        var ended = await engine.EndOfAsync("one");

        Assert.Equal("No orchestrator is named 'Nobody'.", ended.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Terminating_takes_sub_orchestrations_along_only_when_asked_to()
    {
        await using var engine = await StartAsync();
        foreach (var id in new[] { "1", "2" })
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Parent", $"child-{id}", new StartOrchestrationOptions($"parent-{id}"));
            await RunningAsync(engine, $"child-{id}");
        }

        await engine.Client.TerminateInstanceAsync("parent-1", new TerminateInstanceOptions(null, Recursive: false));
        await engine.Client.TerminateInstanceAsync("parent-2", new TerminateInstanceOptions(null, Recursive: true));

        Assert.Equal(OrchestrationRuntimeStatus.Running, (await engine.Client.GetInstanceAsync("child-1"))!.RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await engine.Client.GetInstanceAsync("child-2"))!.RuntimeStatus);
    }

    [Fact]
    public async Task Retries_are_counted_on_across_a_restart()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Retries", null, new StartOrchestrationOptions("one"));
            await AppUnderTest.WaitForAsync(
                () => Task.FromResult(_probe.Calls.Count), calls => calls == 2, () => _clock.Advance(TimeSpan.FromSeconds(1)));
        }

        await using var restarted = await StartAsync();
        var ended = await AppUnderTest.WaitForAsync(
            () => restarted.Client.GetInstanceAsync("one", getInputsAndOutputs: true), i => i!.IsCompleted,
            () => _clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Contains("System.InvalidOperationException", ended!.SerializedOutput, StringComparison.Ordinal);
        Assert.InRange(_probe.Calls.Count, 3, 4);
    }

    [Fact]
    public async Task An_event_reaches_the_waiter_that_came_last()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoWaiters", null, new StartOrchestrationOptions("one"));
        await engine.Client.RaiseEventAsync("one", "E", "a");
        await engine.Client.RaiseEventAsync("one", "E", "b");

        Assert.Equal("\"first b, second a\"", (await engine.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task A_waiter_that_was_cancelled_takes_no_event_from_the_one_before_it()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("CancelledWaiter", null, new StartOrchestrationOptions("one"));
        await engine.Client.RaiseEventAsync("one", "E", "a");

        Assert.Equal("\"a\"", (await engine.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task An_orchestrator_that_returns_while_an_activity_runs_ends_when_that_has_ended()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("LeavesActivity", null, new StartOrchestrationOptions("one"));
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_probe.Calls.Count), calls => calls == 1);
        Assert.True((await engine.Client.GetInstanceAsync("one"))!.IsRunning);

        _probe.Held.SetResult();

        Assert.Equal("\"returned\"", (await engine.EndOfAsync("one")).SerializedOutput);
    }

    [Fact]
    public async Task One_event_name_awaited_as_two_types_fails_the_orchestration()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoTypes", null, new StartOrchestrationOptions("one"));

        var ended = await engine.EndOfAsync("one");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("same type", ended.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(1L, JournalFile.Count(_state, "SELECT COUNT(*) FROM turns WHERE json_valid(events)"));
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_fails_the_orchestration_whatever_it_catches()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("ExpectsNumber", null, new StartOrchestrationOptions("one"));
        await engine.Client.RaiseEventAsync("one", "E", "no number");

        var ended = await engine.EndOfAsync("one");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, ended.RuntimeStatus);
        Assert.Contains("JsonException", ended.FailureDetails!.ErrorType, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_one_orchestration_sends_reaches_the_other()
    {
        await using var engine = await StartAsync();
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("TwoEvents", null, new StartOrchestrationOptions("one"));
        await engine.Client.ScheduleNewOrchestrationInstanceAsync("Sends", "one", new StartOrchestrationOptions("sender"));

        Assert.Equal("\"x y\"", (await engine.EndOfAsync("one")).SerializedOutput);
    }

    private Task<EngineUnderTest> StartAsync() =>
        EngineUnderTest.StartAsync(_state, _clock, _probe, typeof(Orchestrators), typeof(Activities));

    private static Task StatusAsync(EngineUnderTest engine, string id, string status) => AppUnderTest.WaitForAsync(
        () => engine.Client.GetInstanceAsync(id, getInputsAndOutputs: true), i => i!.SerializedCustomStatus == status);

    private static Task RunningAsync(EngineUnderTest engine, string id) =>
        AppUnderTest.WaitForAsync(() => engine.Client.GetInstanceAsync(id), i => i is { IsRunning: true });

    private long CountTurns(string id) => JournalFile.Count(_state, $"SELECT COUNT(*) FROM turns WHERE instance_id = '{id}'");

    public sealed class Probe
    {
        public ConcurrentQueue<string> Calls { get; } = [];

        public TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public sealed class Activities(Probe probe)
    {
        [Function("FailAlways")]
        public void Fail([ActivityTrigger] string text)
        {
            probe.Calls.Enqueue(text);
            throw new InvalidOperationException("no");
        }

        [Function("HoldBack")]
        public async Task Hold([ActivityTrigger] string text, CancellationToken cancellation)
        {
            probe.Calls.Enqueue(text);
            await probe.Held.Task.WaitAsync(cancellation);
        }
    }

    public static class Orchestrators
    {
        [Function("TwoEvents")]
        public static async Task<string> TwoEvents([OrchestrationTrigger] TaskOrchestrationContext context) =>
            $"{await context.WaitForExternalEvent<string>("E")} {await context.WaitForExternalEvent<string>("E")}";

        [Function("Sum")]
        public static async Task<int> Sum([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            var sum = context.GetInput<int>();
            context.SetCustomStatus(sum);
            var added = await context.WaitForExternalEvent<int>("Add");
            if (added != 0)
                context.ContinueAsNew(sum + added);
            return sum;
        }

        [Function("Parent")]
        public static Task<string> Parent([OrchestrationTrigger] TaskOrchestrationContext context) =>
            context.CallSubOrchestratorAsync<string>("Child", "said", new SubOrchestrationOptions(instanceId: context.GetInput<string>()));

        [Function("Child")]
        public static async Task<string> Child([OrchestrationTrigger] TaskOrchestrationContext context) =>
            $"{context.InstanceId} of {context.Parent!.InstanceId} {context.GetInput<string>()} {await TwoEvents(context)}";

        [Function("ParentOfNone")]
        public static async Task<string> ParentOfNone([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            try
            {
#pragma warning disable DURABLE2004 // There is none: that is what it is for.
                return await context.CallSubOrchestratorAsync<string>("Nobody");
#pragma warning restore DURABLE2004
            }
            catch (TaskFailedException exception)
            {
                return exception.FailureDetails.ErrorMessage;
            }
        }

        [Function("Retries")]
        public static async Task<string> Retries([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            try
            {
                await context.CallActivityAsync("FailAlways", "x", TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromSeconds(5), 2)));
                return "";
            }
            catch (TaskFailedException exception)
            {
                return exception.FailureDetails.ErrorType;
            }
        }

        [Function("TwoWaiters")]
        public static async Task<string> TwoWaiters([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            var first = context.WaitForExternalEvent<string>("E");
            var second = context.WaitForExternalEvent<string>("E");
            return $"first {await first}, second {await second}";
        }

        [Function("CancelledWaiter")]
        public static Task<string> CancelledWaiter([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            using var end = new CancellationTokenSource();
            var kept = context.WaitForExternalEvent<string>("E");
            _ = context.WaitForExternalEvent<string>("E", end.Token);
            end.Cancel();
            return kept;
        }

        [Function("LeavesActivity")]
        public static Task<string> LeavesActivity([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            _ = context.CallActivityAsync("HoldBack", "x");
            return Task.FromResult("returned");
        }

        [Function("TwoTypes")]
        public static Task TwoTypes([OrchestrationTrigger] TaskOrchestrationContext context) =>
            Task.WhenAll(context.WaitForExternalEvent<string>("E"), context.WaitForExternalEvent<int>("E"));

        [Function("ExpectsNumber")]
        public static async Task<int> ExpectsNumber([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            try
            {
                return await context.WaitForExternalEvent<int>("E");
            }
#pragma warning disable CA1031 // That it catches everything is the point.
            catch (Exception)
#pragma warning restore CA1031
            {
                return -1;
            }
        }

        [Function("Sends")]
        public static Task Sends([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            foreach (var text in new[] { "x", "y" })
                context.SendEvent(context.GetInput<string>()!, "E", text);
            return Task.CompletedTask;
        }
    }
}
