using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using BasiqFunctions.Tests.Sync;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Platform.Telemetry;

/// <summary>What syncs leave in the metrics.</summary>
[Trait("Category", "Journeys")]
public sealed class SyncTelemetryTests
{
    private const string Syncs = "basiq.sync.duration";
    private const string Jobs = "basiq.sync.jobs";

    [Fact]
    public async Task A_sync_is_counted_with_its_jobs_and_what_it_fetched()
    {
        using var telemetry = new TelemetryCapture();
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();

        var sync = await app.WaitForSyncAsync(
            userId, await app.ConsentAndReturnAsync(userId, "Whistler", "bighead", "erlich", "jianYang"));

        Assert.Equal(SyncState.Partial, sync.Status);
        var services = app.Services;
        var ended = Assert.Single(telemetry.Of(services, Syncs));
        Assert.Equal("partial", Assert.Single(ended.Tags).Value);
        Assert.InRange(ended.Value, 0.1, 60);
        Assert.Equal(
            new Dictionary<string, double>
            {
                ["success"] = 1,
                ["invalid-credentials failed"] = 1,
                ["account-not-accessible-requires-user-action failed"] = 1,
                ["service-unavailable failed"] = 1,
            },
            telemetry.SumsOf(services, Jobs));
        Assert.NotEqual(0, sync.Transactions);
        Assert.Equal(sync.Transactions, telemetry.SumsOf(services, "basiq.sync.transactions")[""]);
        Assert.Equal(sync.Accounts.Fetched, telemetry.SumsOf(services, "basiq.sync.accounts")[""]);
    }

    [Fact]
    public async Task A_sync_that_is_replayed_after_a_restart_is_counted_once_and_with_its_whole_duration()
    {
        const string Id = "sync-under-test";
        using var telemetry = new TelemetryCapture();
        using var state = new TemporaryDirectory();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
        var script = new SyncRunTests.Script(clock)
        {
            Observe = call => new(new SyncedJob(new("job-1"), new("connection-1"), call <= 3 ? JobState.InProgress : JobState.Success, [])),
        };
        var first = await EngineUnderTest.StartAsync(state, clock, script, typeof(SyncOrchestration), typeof(SyncRunTests.Activities));
        await first.Client.ScheduleNewOrchestrationInstanceAsync(
            SyncOrchestration.Name,
            new SyncInput(new("user-1"), [SyncedJob.Unseen(new("job-1"))], new SyncOptions()),
            new StartOrchestrationOptions(Id));
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(script.Times(nameof(SyncActivities.ObserveJob)).Length), polls => polls >= 2,
            () => clock.Advance(TimeSpan.FromSeconds(1)));
        await first.DisposeAsync();

        await using var second = await EngineUnderTest.StartAsync(
            state, clock, script, typeof(SyncOrchestration), typeof(SyncRunTests.Activities));
        await AppUnderTest.WaitForAsync(
            () => second.Client.GetInstanceAsync(Id, getInputsAndOutputs: true), i => i!.IsCompleted,
            () => clock.Advance(TimeSpan.FromSeconds(1)));

        var ended = Assert.Single(telemetry.Of(second.Services, Syncs));
        Assert.Equal("completed", Assert.Single(ended.Tags).Value);
        Assert.InRange(ended.Value, 2 + 3 + 4.5, 600);
        Assert.Equal(new Dictionary<string, double> { ["success"] = 1 }, telemetry.SumsOf(second.Services, Jobs));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task Nothing_is_counted_while_an_orchestration_is_replayed(bool isReplaying, int count)
    {
        using var telemetry = new TelemetryCapture();
        await using var services = new ServiceCollection().AddInstruments().BuildServiceProvider();
        var context = new Mock<TaskOrchestrationContext>();
        context.SetupGet(c => c.IsReplaying).Returns(isReplaying);
        context.Setup(c => c.GetInput<SyncInput>())
            .Returns(new SyncInput(new("user-1"), [SyncedJob.Lost(new("job-1"), SyncedJob.NotFoundCode)], new SyncOptions()));
        context.Setup(c => c.WaitForExternalEvent<string>(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns(new TaskCompletionSource<string>().Task);

        var ended = await new SyncOrchestration(services.GetRequiredService<Instruments>()).RunAsync(context.Object);

        Assert.Equal(SyncState.Failed, ended.Status);
        Assert.Equal(count, telemetry.Of(services, Syncs).Count);
        Assert.Equal(count, telemetry.Of(services, Jobs).Count);
    }

    [Fact]
    public async Task A_sync_that_breaks_on_our_side_is_counted_as_failed()
    {
        using var telemetry = new TelemetryCapture();
        await using var services = new ServiceCollection().AddInstruments().BuildServiceProvider();
        var context = new Mock<TaskOrchestrationContext>();
        context.Setup(c => c.GetInput<SyncInput>()).Returns(new SyncInput(new("user-1"), [SyncedJob.Unseen(new("job-1"))], new SyncOptions()));
        context.Setup(c => c.SetCustomStatus(It.IsAny<object>())).Throws(new InvalidOperationException());

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => new SyncOrchestration(services.GetRequiredService<Instruments>()).RunAsync(context.Object));

        Assert.Equal("failed", Assert.Single(Assert.Single(telemetry.Of(services, Syncs)).Tags).Value);
    }

    [Theory]
    [InlineData("maintenance", "maintenance")]
    [InlineData("gavin@hooli.com", "other")]
    [InlineData("code-of-tomorrow", "other")]
    [InlineData(null, "other")]
    public void A_failure_code_that_is_not_known_is_another(string? code, string tag) =>
        Assert.Equal(tag, SyncOutcome.FailureCodeOf(SyncedJob.From(new Job
        {
            Id = new("job-1"),
            Steps =
            [
                new JobStep { Title = "verify-credentials", Status = "success" },
                new JobStep { Title = "retrieve-accounts", Status = "failed", Result = new JobStepResult { Code = code } },
            ],
        })));

    [Fact]
    public void A_job_out_of_time_and_a_job_that_went_well_have_their_codes_too()
    {
        var job = SyncedJob.Unseen(new("job-1"));

        Assert.Equal("job-timed-out", SyncOutcome.FailureCodeOf(job.TimedOut()));
        Assert.Null(SyncOutcome.FailureCodeOf(job with { Status = JobState.Success }));
    }
}
