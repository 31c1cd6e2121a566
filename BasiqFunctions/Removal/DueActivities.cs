using System.Collections.Concurrent;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>The steps of a daily pass. Each may run again, and finds what is left to do.</summary>
public sealed class DueActivities(
    DueWork due,
    DueLooks looks,
    AbsenceRemoval absences,
    SnapshotReader snapshots,
    IKeptReports reports,
    KeyWitness key,
    ClockCheck clockCheck,
    IOptions<DueOptions> options,
    TimeProvider clock,
    ILogger<DueActivities> logger)
{
    /// <summary>The most that is done by one activity.</summary>
    private const int MostAtOnce = 50;

    /// <summary>How many at a time: nobody waits for this, and Basiq has others to serve.</summary>
    private const int AtATime = 4;

    private const int SeedsAtATime = 16;

    /// <summary>Well below the 10 minutes of <c>functionTimeout</c>, at which a host ends everything that its worker does.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Finds the days whose work is due, once the clock is confirmed: by a clock that has jumped everything would be.</summary>
    [Function(nameof(BeginDuePass))]
    public async Task<DuePassBegun> BeginDuePass([ActivityTrigger] string day, CancellationToken cancellation)
    {
        if (!clockCheck.IsConfirmed)
            await AskAnythingAsync(cancellation);
        if (!clockCheck.IsConfirmed || string.CompareOrdinal(day, DueWork.DayOf(clock.GetUtcNow())) > 0)
        {
            Log.PassPutOff(logger);
            return new DuePassBegun(null, options.Value.SpreadOver, HasSeed: true);
        }

        return new DuePassBegun(await due.ListDaysAsync(day, cancellation), options.Value.SpreadOver, await due.HasBegunAsync(cancellation));
    }

    /// <summary>
    /// Writes down of some users, of whom something may have been kept before there were dates, that they are to be looked at. Gives what
    /// to go on with; null once that was everybody, which is noted.
    /// </summary>
    [Function(nameof(SeedDue))]
    public async Task<DueSeed?> SeedDue([ActivityTrigger] DueSeed seed, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(seed);
        var users = await snapshots.ListUsersAsync(seed.Next, cancellation);
        await Parallel.ForEachAsync(
            users.Names,
            new ParallelOptions { MaxDegreeOfParallelism = SeedsAtATime, CancellationToken = cancellation },
            async (name, token) =>
            {
                var userId = new UserId(name);
                await due.SetAllAsync(userId, token);

                // A removal since they were listed has taken out what was due before this came.
                if (!await snapshots.IsAnyAsync(userId, token) && await reports.CountAsync(userId, null, clock.GetUtcNow(), token) == 0)
                    await due.RemoveUserAsync(userId, token);
            });
        if (users.Next is not null)
            return new DueSeed(users.Next);
        await due.BeginAsync(cancellation);
        return null;
    }

    /// <summary>Does some of what is due.</summary>
    [Function(nameof(DoDue))]
    public async Task<DueSliceDone> DoDue([ActivityTrigger] DueSlice slice, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(slice);
        var done = new ConcurrentBag<RetentionPass>();
        var notices = new ConcurrentBag<Notice>();
        var start = clock.GetTimestamp();
        for (var shard = slice.Shard; shard < slice.To; shard++)
        {
            foreach (var day in slice.Days)
            {
                while (await due.ListAsync(day, shard, MostAtOnce, cancellation) is { Count: > 0 } items)
                {
                    await Parallel.ForEachAsync(
                        items,
                        new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation },
                        async (item, token) =>
                        {
                            // One look may take two minutes of Basiq's time: what is left is due still, and done by the next activity.
                            if (clock.GetElapsedTime(start) <= Longest)
                                done.Add(await looks.DoAsync(client, item, notices.Add, token));
                        });
                    if (done.Count >= MostAtOnce || clock.GetElapsedTime(start) > Longest)
                        return new DueSliceDone(shard, Sum(done), [.. notices]);
                }
            }
        }

        return new DueSliceDone(slice.To, Sum(done), [.. notices]);
    }

    /// <summary>Settles whether users of whom Basiq had nothing are gone.</summary>
    [Function(nameof(SettleAbsences))]
    public Task<RetentionPass> SettleAbsences(
        [ActivityTrigger] RetentionPass looked, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        absences.SettleAsync(client, looked, cancellation);

    /// <summary>Notes that nothing is due any more on the pass's days.</summary>
    [Function(nameof(EndDuePass))]
    public async Task EndDuePass([ActivityTrigger] DuePassDone pass, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pass);
        foreach (var day in pass.Days)
            await due.EndDayAsync(day, cancellation);
        Log.RetentionEnforced(logger, pass.Done.Users, pass.Done.Removed, pass.Done.Absent, pass.Done.Failed);
    }

    private static RetentionPass Sum(IEnumerable<RetentionPass> done) => done.Aggregate(new RetentionPass(0, 0, 0), (one, other) => one.Plus(other));

    /// <summary>A process that has just started has no answer of Basiq's yet, and with it no date.</summary>
    private async Task AskAnythingAsync(CancellationToken cancellation)
    {
        try
        {
            await key.ReadsAnyAsync(snapshots.EnumerateUsersAsync(cancellation).Take(1), cancellation);
        }
        catch (BasiqException)
        {
            // Its answer may have been a refusal, which is dated as well.
        }
    }
}
