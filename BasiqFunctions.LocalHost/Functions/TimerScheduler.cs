using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Platform.Records;
using Microsoft.Azure.Functions.Worker;
using NCrontab;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>
/// Runs the timer functions on their schedules, in UTC. The journal keeps when each should run next, so that an occurrence missed
/// while the host was down is made up for once, with <see cref="TimerInfo.IsPastDue"/> set.
/// </summary>
/// <remarks>Semantics of Microsoft Learn, "Timer trigger for Azure Functions".</remarks>
internal sealed class TimerScheduler(
    FunctionCatalog functions, Journal journal, IServiceProvider services, TimeProvider time, ILogger<TimerScheduler> logger)
    : BackgroundService
{
    /// <summary>A late start of this much is no missed occurrence.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>What runs at the start waits for this long: whoever called for the host comes first.</summary>
    private static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(1);

    /// <summary>The longest single wait: after a jump of the clock the schedule is looked at again within this time.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(functions.Timers.Select(timer => KeepRunningAsync(timer, stoppingToken)));

    /// <summary>A lack of memory ends no timer: the journal knows where it was.</summary>
    private async Task KeepRunningAsync(TimerFunction timer, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await RunAsync(timer, stopping);
            }
#pragma warning disable CA1031 // Whatever fails while the host goes is no failure of the timer's, and the host would log it as one.
            catch (Exception) when (stopping.IsCancellationRequested)
#pragma warning restore CA1031
            {
                return;
            }
            catch (Exception exception) when (Shortage.IsBehind(exception))
            {
                Thread.Sleep(Shortage.Pause);
            }
        }
    }

    private async Task RunAsync(TimerFunction timer, CancellationToken stopping)
    {
        var schedule = CrontabSchedule.Parse(
            timer.Schedule, new CrontabSchedule.ParseOptions { IncludingSeconds = timer.Schedule.Split(' ').Length == 6 });
        var started = Now();
        var (last, next) = await journal.FindTimerAsync(timer.Name, stopping)
            ?? (DateTime.MinValue, schedule.GetNextOccurrence(started));
        if (timer.RunOnStartup && next > started + AfterStart)
            next = started + AfterStart;

        // A clock set back must not silence the timer until it catches up.
        if (next > schedule.GetNextOccurrence(started))
            next = schedule.GetNextOccurrence(started);

        while (true)
        {
            await SaveAsync(timer.Name, last, next);
            next = await WaitUntilDueAsync(schedule, next, stopping);
            var now = Now();
            var following = schedule.GetNextOccurrence(now);
            var info = new TimerInfo
            {
                IsPastDue = now - next > Tolerance,
                ScheduleStatus = new ScheduleStatus { Last = last, Next = following, LastUpdated = now },
            };
            try
            {
                await timer.Run(services, info, stopping);
            }
#pragma warning disable CA1031 // A failed run is logged, and the schedule goes on.
            catch (Exception exception) when (!stopping.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.TimerFailed(logger, timer.Name, exception);
            }

            (last, next) = (now, following);
        }
    }

    private DateTime Now() => time.GetUtcNow().UtcDateTime;

    /// <summary>Notes when the timer is due. Without the note a missed occurrence is not made up for; the timer goes on.</summary>
    private async Task SaveAsync(string name, DateTime last, DateTime next)
    {
        try
        {
            await journal.SaveTimerAsync(name, last, next);
        }
        catch (StoreUnavailableException exception)
        {
            Log.TimerNotSaved(logger, name, exception);
        }
    }

    /// <summary>Waits for an occurrence, and returns the one that came: an earlier one when the clock was set back.</summary>
    private async Task<DateTime> WaitUntilDueAsync(CrontabSchedule schedule, DateTime due, CancellationToken stopping)
    {
        while (due - Now() is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < LongestWait ? left : LongestWait, time, stopping);
            if (due > Now() && schedule.GetNextOccurrence(Now()) is var earlier && earlier < due)
                due = earlier;
        }

        return due;
    }
}
