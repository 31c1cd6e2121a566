using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Removal;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>
/// Removes what is kept of users of whom Basiq has nothing, though nobody told of a deletion. That they are gone is believed when Basiq
/// says so at two looks at least 20 hours apart, reads another user to us in between, and the clock that measures the hours is
/// confirmed; and of more users at once than <see cref="RemovalOptions.MostAtOnce"/> when somebody has confirmed it as well.
/// </summary>
public sealed class AbsenceRemoval(
    SnapshotStore snapshots,
    ConsentEnd end,
    Removals removals,
    UserAbsences absences,
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

    /// <summary>Removes those who are settled to be gone, unless they are too many.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="kept">Everybody of whom something is kept.</param>
    /// <param name="cancellation">Stops it half-way; another call goes on.</param>
    /// <returns>Whose data was removed, and of how many more it was not, since they are too many.</returns>
    internal async Task<(IReadOnlyCollection<string> Removed, int Held)> SettleAsync(
        DurableTaskClient client, IReadOnlyCollection<string> kept, CancellationToken cancellation)
    {
        var most = options.Value.MostOf(kept.Count);
        var absent = await AskAgainAsync(client, kept, _ => true, absence => !absence.IsConfirmed, most, cancellation);
        if (absent.Count(absence => !absence.IsConfirmed) <= most)
            return (await RemoveAsync(client, absent, cancellation), 0);
        var held = (await absences.ListAsync(cancellation)).Count(absence => !absence.IsConfirmed);
        return (await RemoveAsync(client, absent.Where(absence => absence.IsConfirmed), cancellation), held);
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
        var kept = await snapshots.ListUsersAsync(cancellation);
        var absent = await AskAgainAsync(client, kept, IsMeant, _ => false, 0, cancellation);
        var removed = await RemoveAsync(client, absent, cancellation);
        return new ConfirmedRemoval(passId, confirmedAt, removed.Count, (await absences.ListAsync(cancellation)).Count(IsMeant));

        bool IsMeant(UserAbsence absence) => absence.IsConfirmed && pass.Holds(absence);
    }

    /// <summary>Tells whoever runs the app that users seem to be gone whose data stays for now.</summary>
    internal async Task RaiseAsync(int users, CancellationToken cancellation)
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
        DurableTaskClient client,
        IReadOnlyCollection<string> kept,
        Predicate<UserAbsence> isMeant,
        Predicate<UserAbsence> counted,
        int most,
        CancellationToken cancellation)
    {
        var known = kept.ToHashSet(StringComparer.Ordinal);
        var all = await absences.ListAsync(cancellation);
        var due = all.Where(absence => known.Contains(absence.UserId) && isMeant(absence) && absence.Since + Apart <= clock.GetUtcNow()).ToArray();
        if (due.Length == 0 || !await IsKeyGoodAsync(known, all, cancellation))
            return [];
        var absent = new ConcurrentBag<UserAbsence>();
        var found = 0;
        await ForEachAsync(
            due,
            async (absence, token) =>
            {
                if (counted(absence) && Volatile.Read(ref found) > most)
                    return;
                if (await HasBeenFetchedSinceAsync(absence, token)
                    || (await end.RunAsync(client, absence.UserId, null, token)).Outcome != absence.Outcome)
                {
                    await absences.ClearAsync(absence.UserId, token);
                    return;
                }

                absent.Add(absence);
                if (counted(absence))
                    Interlocked.Increment(ref found);
            },
            cancellation);
        return clockCheck.IsConfirmed ? absent : [];
    }

    /// <summary>Whether Basiq gave data of a user after it had none: the looks before and after that do not add up.</summary>
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
    private async Task<bool> IsKeyGoodAsync(HashSet<string> known, IReadOnlyList<UserAbsence> all, CancellationToken cancellation)
    {
        if (known.Count == 1 && all.SingleOrDefault(absence => known.Contains(absence.UserId)) is { } only)
            return only.IsConfirmed;
        return await key.ReadsAnyAsync(known.Except(all.Select(absence => absence.UserId)).ToAsyncEnumerable(), cancellation);
    }

    private async Task<IReadOnlyCollection<string>> RemoveAsync(
        DurableTaskClient client, IEnumerable<UserAbsence> gone, CancellationToken cancellation)
    {
        var removed = new ConcurrentBag<string>();
        await ForEachAsync(
            gone,
            async (absence, token) =>
            {
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
                    Log.RetentionFailed(logger, absence.UserId, e.GetType().Name);
                }
            });
}
