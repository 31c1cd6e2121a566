using System.Collections.Concurrent;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.LocalHost;

/// <summary>Timer functions run on their schedule, also after the host was down and after one of them failed.</summary>
[Trait("Category", "Journeys")]
public sealed class TimerSchedulerTests : IDisposable
{
    private static readonly DateTimeOffset TenPast = new(2026, 7, 1, 12, 10, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _state = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task A_timer_runs_at_each_occurrence_and_is_told_the_next()
    {
        var clock = new FakeTimeProvider(TenPast);
        await using var timers = await TimersUnderTest.StartAsync(_state, clock);

        clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Empty(timers.Runs);
        var first = await timers.RunAsync(1, clock);
        Assert.False(first.IsPastDue);
        Assert.Equal(new DateTime(2026, 7, 1, 12, 40, 0, DateTimeKind.Utc), first.ScheduleStatus!.Next);
        var second = await timers.RunAsync(2, clock);
        Assert.Equal(new DateTime(2026, 7, 1, 13, 0, 0, DateTimeKind.Utc), second.ScheduleStatus!.Next);
    }

    [Fact]
    public async Task An_occurrence_missed_while_the_host_was_down_is_made_up_for_once()
    {
        await using (await TimersUnderTest.StartAsync(_state, new FakeTimeProvider(TenPast)))
        {
            // Long enough to note when the timer is due.
        }

        var clock = new FakeTimeProvider(TenPast.AddHours(3));
        await using var timers = await TimersUnderTest.StartAsync(_state, clock);

        Assert.True((await timers.RunAsync(1, clock, TimeSpan.Zero)).IsPastDue);
        Assert.False((await timers.RunAsync(2, clock)).IsPastDue);
    }

    [Fact]
    public async Task A_clock_set_back_does_not_silence_a_timer()
    {
        await using (await TimersUnderTest.StartAsync(_state, new FakeTimeProvider(TenPast.AddDays(30))))
        {
            // The journal now has an occurrence of next month.
        }

        var clock = new FakeTimeProvider(TenPast);
        await using var timers = await TimersUnderTest.StartAsync(_state, clock);
        await timers.NotedAsync(new DateTime(2026, 7, 1, 12, 20, 0, DateTimeKind.Utc));

        Assert.False((await timers.RunAsync(1, clock)).IsPastDue);
        Assert.InRange(clock.GetUtcNow() - TenPast, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task A_clock_set_back_while_the_host_runs_does_not_silence_a_timer()
    {
        var clock = new SetClock(TenPast.AddDays(30));
        await using var timers = await TimersUnderTest.StartAsync(_state, clock);

        clock.Offset = TimeSpan.FromDays(-30);
        await timers.RunAsync(1, clock);

        Assert.InRange(clock.GetUtcNow() - TenPast, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_for_a_while_does_not_end_the_timers()
    {
        var clock = new FakeTimeProvider(TenPast);
        await using var timers = await TimersUnderTest.StartAsync(_state, clock);
        JournalFile.Change(_state, "ALTER TABLE timers RENAME TO away");

        await timers.RunAsync(1, clock, isNoted: false);
        JournalFile.Change(_state, "ALTER TABLE away RENAME TO timers");
        await timers.RunAsync(2, clock);
    }

    [Fact]
    public async Task A_run_that_fails_is_not_the_last()
    {
        var clock = new FakeTimeProvider(TenPast);
        await using var timers = await TimersUnderTest.StartAsync(_state, clock, failing: true);

        await timers.RunAsync(1, clock);
        await timers.RunAsync(2, clock);
    }

    [Fact]
    public async Task A_timer_that_runs_at_the_start_does_so_at_each_start_and_goes_on_by_its_schedule()
    {
        var clock = new FakeTimeProvider(TenPast);
        for (var start = 1; start <= 2; start++)
        {
            await using var timers = await TimersUnderTest.StartAsync(_state, clock, function: typeof(AlsoAtTheStart));
            var first = await timers.RunAsync(1, clock, TimeSpan.FromSeconds(1));
            Assert.Equal(20, first.ScheduleStatus!.Next.Minute);
        }
    }

    public sealed class Probe(bool failing)
    {
        public ConcurrentQueue<TimerInfo> Runs { get; } = [];

        public void Take(TimerInfo timer)
        {
            Runs.Enqueue(timer);
            if (failing)
                throw new InvalidOperationException("as the test wants");
        }
    }

    public sealed class EveryTwentyMinutes(Probe probe)
    {
        [Function("EveryTwentyMinutes")]
        public void Run([TimerTrigger("0 */20 * * * *")] TimerInfo timer) => probe.Take(timer);
    }

    public sealed class AlsoAtTheStart(Probe probe)
    {
        [Function("AlsoAtTheStart")]
        public void Run([TimerTrigger("0 */20 * * * *", RunOnStartup = true)] TimerInfo timer) => probe.Take(timer);
    }

    private sealed class TimersUnderTest(string name, Journal journal, TimerScheduler scheduler, ServiceProvider services, Probe probe) : IAsyncDisposable
    {
        public ConcurrentQueue<TimerInfo> Runs => probe.Runs;

        public static async Task<TimersUnderTest> StartAsync(
            TemporaryDirectory state, TimeProvider clock, bool failing = false, Type? function = null)
        {
            function ??= typeof(EveryTwentyMinutes);
            var probe = new Probe(failing);
            var services = new ServiceCollection().AddSingleton(probe).BuildServiceProvider();
            var journal = Journal.Open(Path.Combine(state.Path, "journal.db"));
            var scheduler = new TimerScheduler(
                FunctionCatalog.Of(function), journal, services, clock, NullLogger<TimerScheduler>.Instance);
            await scheduler.StartAsync(CancellationToken.None);
            await AppUnderTest.WaitForAsync(
                () => journal.FindTimerAsync(function.Name, CancellationToken.None), timer => timer is not null);
            return new TimersUnderTest(function.Name, journal, scheduler, services, probe);
        }

        /// <summary>
        /// Moves the clock until the timer has run so often, and returns what the last run was told, once the journal has it, too: the clock is
        /// not to be moved before.
        /// </summary>
        public async Task<TimerInfo> RunAsync(int times, FakeTimeProvider clock, TimeSpan? step = null, bool isNoted = true)
        {
            var runs = await AppUnderTest.WaitForAsync(
                () => Task.FromResult(Runs.ToArray()), runs => runs.Length >= times, () => clock.Advance(step ?? TimeSpan.FromSeconds(20)));
            Assert.Equal(times, runs.Length);
            if (isNoted)
                await NotedAsync(runs[^1].ScheduleStatus!.Next);
            return runs[^1];
        }

        /// <summary>Waits until the journal says that the timer is due then.</summary>
        public Task NotedAsync(DateTime next) =>
            AppUnderTest.WaitForAsync(() => journal.FindTimerAsync(name, CancellationToken.None), timer => timer?.Next == next);

        public async ValueTask DisposeAsync()
        {
            await scheduler.StopAsync(CancellationToken.None);
            scheduler.Dispose();
            await journal.DisposeAsync();
            await services.DisposeAsync();
        }
    }
}
