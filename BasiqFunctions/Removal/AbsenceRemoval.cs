using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>
/// Removes what is kept of users of whom Basiq has nothing, though nobody told of a deletion. That they are gone is believed when Basiq
/// says so at two looks at least 20 hours apart, reads another user to us in between, and the clock that measures the hours is
/// confirmed; and of more users at once than <see cref="RemovalOptions.MostAtOnce"/> when somebody has confirmed it as well.
/// </summary>
public sealed class AbsenceRemoval(
    SnapshotReader snapshots,
    ConsentEnforcement enforcement,
    Removals removals,
    UserAbsences absences,
    DueWork due,
    HeldRemovals heldRemovals,
    KeyWitness key,
    ClockCheck clockCheck,
    IOptions<RemovalOptions> options,
    Instruments instruments,
    TimeProvider clock,
    ILogger<AbsenceRemoval> logger)
{
    /// <summary>How far the looks lie apart: once a day, give or take when the pass comes to a user.</summary>
    internal static readonly TimeSpan Apart = TimeSpan.FromHours(20);

    private const int AtATime = 4;

    private const int MostAskedInDoubt = 10;

    /// <summary>No more users are asked for, or removed, after this: the others have their turn on the next day.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Removes those who are settled to be gone, unless they are too many, and tells of those whose data stays for that.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="looked">What the pass has done so far.</param>
    /// <param name="cancellation">Stops it half-way; another call goes on.</param>
    /// <returns>What the pass has done with that.</returns>
    internal async Task<RetentionPass> SettleAsync(DurableTaskClient client, RetentionPass looked, CancellationToken cancellation)
    {
        var all = await absences.ListAsync(cancellation);
        if (all.Count == 0)
            return looked;
        looked = looked with { Users = looked.Users + Math.Max(0, all.Count - looked.Absent), Absent = all.Count };
        var most = options.Value.MostOf(looked.Users - looked.Failed);
        var start = clock.GetTimestamp();
        bool isKeyGood, areTooMany;
        IReadOnlyCollection<UserId> removed;
        try
        {
            isKeyGood = await IsKeyGoodAsync(all, cancellation);

            // While the key reads nobody else, whoever is back is found all the same, and nobody goes.
            var absent = await AskAgainAsync(
                client, all, absence => !isKeyGood || !absence.IsConfirmed, isKeyGood ? most : Math.Min(most, MostAskedInDoubt), start, cancellation);
            if (!isKeyGood)
                absent = [];
            areTooMany = absent.Count(absence => !absence.IsConfirmed) > most;
            removed = await RemoveAsync(client, absent.Where(absence => absence.IsConfirmed || !areTooMany), start, cancellation);
        }
        catch (BasiqException e)
        {
            Log.AbsencesNotSettled(logger, e.Failure.ToString());
            return looked;
        }

        // At the first look already, although nothing goes before the second: so there is a day to look at the API key.
        var left = (await absences.ListAsync(cancellation)).Where(absence => !removed.Contains(absence.UserId)).ToArray();
        var waiting = left.Count(absence => !absence.IsConfirmed);
        if (waiting > 0 && (areTooMany || waiting > most || !isKeyGood))
            await RaiseAsync(waiting, cancellation);
        return looked with { Removed = looked.Removed + removed.Count, Absent = left.Length };
    }

    /// <summary>
    /// Confirms what a pass has held up, and removes those of its users who are settled to be gone. Called again it goes on with
    /// whoever was not settled yet. Null when there is no such pass.
    /// </summary>
    internal async Task<ConfirmedRemoval?> ConfirmAsync(DurableTaskClient client, string passId, CancellationToken cancellation)
    {
        if (await heldRemovals.ConfirmAsync(passId, cancellation) is not { ConfirmedAt: { } confirmedAt } pass)
            return null;
        Log.RemovalsConfirmed(logger, passId);
        await absences.ConfirmAsync(pass.Holds, cancellation);
        var all = await absences.ListAsync(cancellation);
        var start = clock.GetTimestamp();
        var absent = all.Any(IsMeant) && await IsKeyGoodAsync(all, cancellation)
            ? await AskAgainAsync(client, all.Where(IsMeant), _ => false, 0, start, cancellation)
            : [];
        var removed = await RemoveAsync(client, absent, start, cancellation);
        return new ConfirmedRemoval(
            passId, confirmedAt, removed.Count, (await absences.ListAsync(cancellation)).Count(absence => IsMeant(absence) && !removed.Contains(absence.UserId)));

        bool IsMeant(UserAbsence absence) => absence.IsConfirmed && pass.Holds(absence);
    }

    /// <summary>Tells the operator that users seem to be gone and that their data stays for now.</summary>
    private async Task RaiseAsync(int users, CancellationToken cancellation)
    {
        var held = await heldRemovals.HoldAsync(users, cancellation);
        instruments.RemovalsHeld(users);
        Log.RemovalsHeld(logger, users, held.PassId);
    }

    /// <summary>
    /// Asks Basiq once more for those of whom it had nothing long enough ago, and returns those of whom it still has nothing. Once more
    /// than <paramref name="most"/> of the <paramref name="counted"/> are found, nobody else is asked for.
    /// </summary>
    private async Task<IReadOnlyCollection<UserAbsence>> AskAgainAsync(
        DurableTaskClient client, IEnumerable<UserAbsence> noted, Predicate<UserAbsence> counted, int most, long start, CancellationToken cancellation)
    {
        var absent = new ConcurrentBag<UserAbsence>();
        var found = 0;
        await ForEachAsync(
            noted.Where(absence => absence.Since + Apart <= clock.GetUtcNow()),
            async (absence, token) =>
            {
                if ((counted(absence) && Volatile.Read(ref found) > most) || clock.GetElapsedTime(start) > Longest)
                    return;
                var outcome = (await enforcement.EnforceAsync(client, absence.UserId, null, token)).Outcome;
                if (outcome is not (EnforcementOutcome.UserUnknown or EnforcementOutcome.NothingListed))
                {
                    await due.SetAsync(absence.UserId, token, (DueKinds.ConsentCheck, clock.GetUtcNow()));
                    await absences.ClearAsync(absence.UserId, token);
                }
                else if (outcome != absence.Outcome || await HasBeenFetchedSinceAsync(absence, token))
                {
                    // The looks before and after do not add up: it is missed anew.
                    await absences.ClearAsync(absence.UserId, token);
                    await absences.NoteAsync(new UserAbsence(absence.UserId, outcome, clock.GetUtcNow()), token);
                }
                else
                {
                    absent.Add(absence);
                    if (counted(absence))
                        Interlocked.Increment(ref found);
                }
            },
            cancellation);
        return clockCheck.IsConfirmed ? absent : [];
    }

    /// <summary>Whether Basiq gave data of a user after it had none.</summary>
    private async Task<bool> HasBeenFetchedSinceAsync(UserAbsence absence, CancellationToken cancellation)
    {
        try
        {
            return (await snapshots.GetCurrentAsync(absence.UserId, cancellation))?.FetchedAt > absence.Since;
        }
        catch (SnapshotCorruptException)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether Basiq reads somebody to us. Of the only user whom this app knows nobody else can tell; then whoever has confirmed the
    /// removal answers for the key.
    /// </summary>
    private async Task<bool> IsKeyGoodAsync(IReadOnlyList<UserAbsence> all, CancellationToken cancellation)
    {
        var absent = all.Select(absence => absence.UserId).ToHashSet();
        var others = snapshots.EnumerateUsersAsync(cancellation).Where(userId => !absent.Contains(userId));
        return await key.ReadsAnyAsync(others, cancellation)
            || (all is [{ IsConfirmed: true }] && !await others.AnyAsync(cancellation));
    }

    private async Task<IReadOnlyCollection<UserId>> RemoveAsync(
        DurableTaskClient client, IEnumerable<UserAbsence> gone, long start, CancellationToken cancellation)
    {
        var removed = new ConcurrentBag<UserId>();
        await ForEachAsync(
            gone,
            async (absence, token) =>
            {
                if (clock.GetElapsedTime(start) > Longest)
                    return;
                await removals.RunAsync(client, absence.UserId, null, absence.Cause);
                removed.Add(absence.UserId);
            },
            cancellation);
        return removed;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong with one user must not keep the others' data.")]
    private Task ForEachAsync(IEnumerable<UserAbsence> users, Func<UserAbsence, CancellationToken, Task> act, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            users,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation },
            async (absence, token) =>
            {
                try
                {
                    await act(absence, token);
                }
                catch (Exception e) when (!token.IsCancellationRequested)
                {
                    instruments.RetentionFailed();
                    Removal.Log.RetentionFailed(logger, absence.UserId, e.GetType().Name);
                }
            });
}
