using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>
/// LocalHost's client does what the documentation of <see cref="DurableTaskClient"/> says; where the Functions host on Azure Storage
/// refuses what the documentation lets pass, it refuses that, too.
/// </summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Unit")]
public sealed class LocalDurableTaskClientTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
    private EngineUnderTest _engine = null!;

    private LocalDurableTaskClientUnderTest Client => new(_engine.Client);

    public async Task InitializeAsync() => _engine = await EngineUnderTest.StartAsync(_state, _clock, new object(), typeof(Orchestrators));

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        _state.Dispose();
    }

    [Fact]
    public async Task An_instance_without_an_id_gets_one()
    {
        var first = await _engine.Client.ScheduleNewOrchestrationInstanceAsync("Wait");
        var second = await _engine.Client.ScheduleNewOrchestrationInstanceAsync("Wait");

        Assert.NotEqual(first, second);
        Assert.NotNull(await _engine.Client.GetInstanceAsync(first));
    }

    [Fact]
    public async Task Inputs_outputs_and_statuses_come_only_when_asked_for()
    {
        await Client.EndedAsync("a", "input");

        var without = (await _engine.Client.GetInstanceAsync("a"))!;
        var with = (await _engine.Client.GetInstanceAsync("a", getInputsAndOutputs: true))!;

        Assert.Equal((null, null, null), (without.SerializedInput, without.SerializedOutput, without.SerializedCustomStatus));
        Assert.Equal(("input", "go", "waiting"), (with.ReadInputAs<string>(), with.ReadOutputAs<string>(), with.ReadCustomStatusAs<string>()));
    }

    [Fact]
    public async Task An_instance_that_is_unknown_is_null() => Assert.Null(await _engine.Client.GetInstanceAsync("nobody"));

    [Fact]
    public async Task Waiting_for_what_has_happened_returns_at_once()
    {
        await Client.EndedAsync("a");

        Assert.Equal(
            OrchestrationRuntimeStatus.Completed, (await _engine.Client.WaitForInstanceStartAsync("a").WaitAsync(Soon)).RuntimeStatus);
        Assert.Equal(
            OrchestrationRuntimeStatus.Completed, (await _engine.Client.WaitForInstanceCompletionAsync("a").WaitAsync(Soon)).RuntimeStatus);
    }

    [Fact]
    public async Task Waiting_for_an_end_ends_with_it_and_can_be_given_up_before()
    {
        await Client.StartedAsync("a");
        using var giveUp = new CancellationTokenSource();
        var givenUp = _engine.Client.WaitForInstanceCompletionAsync("a", giveUp.Token);
        var waited = _engine.Client.WaitForInstanceCompletionAsync("a", CancellationToken.None);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        Assert.False(waited.IsCompleted);

        await _engine.Client.TerminateInstanceAsync("a");

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await waited.WaitAsync(Soon)).RuntimeStatus);
    }

    [Fact]
    public async Task A_list_can_be_narrowed_by_status_creation_and_prefix_and_read_in_pages()
    {
        await Client.EndedAsync("a-ended");
        await Client.StartedAsync("a-running");
        await Client.StartedAsync("a-suspended");
        await _engine.Client.SuspendInstanceAsync("a-suspended");
        _clock.Advance(TimeSpan.FromHours(1));
        var later = _clock.GetUtcNow();
        await Client.StartedAsync("b-later");

        Assert.Equal(["a-ended", "a-running", "a-suspended", "b-later"], await Client.IdsAsync(new OrchestrationQuery()));
        Assert.Equal(["a-ended"], await Client.IdsAsync(new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Completed])));
        Assert.Equal(["a-suspended"], await Client.IdsAsync(new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Suspended])));
        Assert.Equal(["b-later"], await Client.IdsAsync(new OrchestrationQuery(CreatedFrom: later)));
        Assert.Equal(["a-ended", "a-running", "a-suspended"], await Client.IdsAsync(new OrchestrationQuery(CreatedTo: later.AddMinutes(-1))));
        Assert.Equal(["b-later"], await Client.IdsAsync(new OrchestrationQuery(InstanceIdPrefix: "b-")));

        List<Page<OrchestrationMetadata>> pages = [];
        await foreach (var page in _engine.Client.GetAllInstancesAsync(new OrchestrationQuery(PageSize: 3)).AsPages())
            pages.Add(page);
        Assert.Equal([3, 1], pages.Select(p => p.Values.Count));
        Assert.Equal(["b-later"], await Client.IdsAsync(new OrchestrationQuery(ContinuationToken: pages[0].ContinuationToken)));
    }

    [Fact]
    public async Task A_purge_counts_what_it_forgets_and_forgets_only_what_has_ended()
    {
        await Client.EndedAsync("ended");
        await Client.StartedAsync("running");

        Assert.Equal(0, (await _engine.Client.PurgeInstanceAsync("nobody")).PurgedInstanceCount);
        Assert.Equal(0, (await _engine.Client.PurgeInstanceAsync("running")).PurgedInstanceCount);
        Assert.Equal(1, (await _engine.Client.PurgeInstanceAsync("ended")).PurgedInstanceCount);
        Assert.Equal(["running"], await Client.IdsAsync(new OrchestrationQuery()));
        Assert.Equal(0L, JournalFile.Count(_state, "SELECT COUNT(*) FROM turns WHERE instance_id = 'ended'"));
    }

    [Fact]
    public async Task A_purge_of_all_can_be_narrowed_by_status_and_creation_and_spares_what_runs()
    {
        await Client.EndedAsync("completed");
        await Client.StartedAsync("terminated");
        await _engine.Client.TerminateInstanceAsync("terminated");
        await Client.StartedAsync("running");
        _clock.Advance(TimeSpan.FromHours(1));
        await Client.EndedAsync("later");

        var early = new PurgeInstancesFilter(CreatedTo: _clock.GetUtcNow().AddMinutes(-1), Statuses: [OrchestrationRuntimeStatus.Terminated]);
        Assert.Equal(1, (await _engine.Client.PurgeAllInstancesAsync(early)).PurgedInstanceCount);
        Assert.Equal(["completed", "later", "running"], await Client.IdsAsync(new OrchestrationQuery()));
        Assert.Equal(2, (await _engine.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter())).PurgedInstanceCount);
        Assert.Equal(["running"], await Client.IdsAsync(new OrchestrationQuery()));
    }

    [Fact]
    public async Task A_purge_whose_time_is_over_says_that_it_is_not_complete_and_is_gone_on_with_by_the_next()
    {
        for (var i = 0; i < 250; i++)
            await Client.EndedAsync($"ended-{i}");
        var slice = new PurgeInstancesFilter { Timeout = TimeSpan.FromSeconds(30) };

        // Time passes with every look at the clock.
        _clock.AutoAdvanceAmount = TimeSpan.FromSeconds(20);
        var first = await _engine.Client.PurgeAllInstancesAsync(slice);
        Assert.Equal((100, false), (first.PurgedInstanceCount, first.IsComplete));
        _clock.AutoAdvanceAmount = TimeSpan.Zero;
        var second = await _engine.Client.PurgeAllInstancesAsync(slice);
        Assert.Equal((150, true), (second.PurgedInstanceCount, second.IsComplete));
    }

    [Theory]
    [InlineData("ended")]
    [InlineData("nobody")]
    public async Task What_comes_too_late_or_for_nobody_is_refused_as_the_Functions_host_does(string id)
    {
        await Client.EndedAsync("ended");

        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.RaiseEventAsync(id, "GoOn", "late"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.TerminateInstanceAsync(id));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.SuspendInstanceAsync(id));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.ResumeInstanceAsync(id));
        Assert.Equal("go", (await _engine.EndOfAsync("ended")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Only_what_runs_can_be_suspended_and_only_what_is_suspended_can_be_resumed()
    {
        await Client.StartedAsync("a");

        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.ResumeInstanceAsync("a"));
        await _engine.Client.SuspendInstanceAsync("a");
        await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Client.SuspendInstanceAsync("a"));
        await _engine.Client.ResumeInstanceAsync("a");

        Assert.Equal(OrchestrationRuntimeStatus.Running, (await _engine.Client.GetInstanceAsync("a"))!.RuntimeStatus);
    }

    [Fact]
    public async Task An_event_that_comes_before_it_is_awaited_is_kept_and_its_name_has_no_case()
    {
        await _engine.Client.ScheduleNewOrchestrationInstanceAsync("WaitTwice", null, new StartOrchestrationOptions("a"));
        await _engine.Client.RaiseEventAsync("a", "SECOND", "2");
        await _engine.Client.RaiseEventAsync("a", "first", "1");

        Assert.Equal("1 2", (await _engine.EndOfAsync("a")).ReadOutputAs<string>());
    }

    /// <summary>What these tests ask of the client, over and over.</summary>
    private sealed record LocalDurableTaskClientUnderTest(DurableTaskClient Client)
    {
        public async Task StartedAsync(string id, string? input = null) =>
            await Client.ScheduleNewOrchestrationInstanceAsync("Wait", input, new StartOrchestrationOptions(id));

        public async Task EndedAsync(string id, string? input = null)
        {
            await StartedAsync(id, input);
            await Client.RaiseEventAsync(id, "GoOn", "go");
            await Client.WaitForInstanceCompletionAsync(id).WaitAsync(Soon);
        }

        public async Task<string[]> IdsAsync(OrchestrationQuery query)
        {
            List<string> ids = [];
            await foreach (var instance in Client.GetAllInstancesAsync(query))
                ids.Add(instance.InstanceId);
            return [.. ids];
        }
    }

    public static class Orchestrators
    {
        [Function("Wait")]
        public static Task<string> Wait([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            context.SetCustomStatus("waiting");
            return context.WaitForExternalEvent<string>("GoOn");
        }

        [Function("WaitTwice")]
        public static async Task<string> WaitTwice([OrchestrationTrigger] TaskOrchestrationContext context) =>
            $"{await context.WaitForExternalEvent<string>("First")} {await context.WaitForExternalEvent<string>("Second")}";
    }
}
