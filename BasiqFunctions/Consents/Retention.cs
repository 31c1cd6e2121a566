using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Basiq;
using BasiqFunctions.Removal;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>
/// Looks after everybody of whom a snapshot is kept, whether or not Basiq ever told of an end: asks how their consents stand, and
/// removes what has to go. Those of whom Basiq had nothing the day before come first; the others follow in turn, where a pass that was
/// cut short left off.
/// </summary>
public sealed class Retention(
    SnapshotStore snapshots,
    ConsentEnd end,
    AbsenceRemoval absenceRemoval,
    UserAbsences absences,
    Removals removals,
    RetentionProgress progress,
    ClockCheck clockCheck,
    IOptions<SnapshotOptions> snapshotOptions,
    IOptions<RemovalOptions> removalOptions,
    Instruments instruments,
    TimeProvider clock,
    ILogger<Retention> logger)
{
    /// <summary>Users looked after at once: nobody waits for this, and Basiq has others to serve.</summary>
    private const int AtATime = 4;

    /// <summary>Users between two notes of how far a pass has come: so many at most are looked after twice when it is cut short.</summary>
    private const int BetweenNotes = 32;

    /// <summary>What came of looking after a user.</summary>
    private enum Look
    {
        Kept,
        Removed,
        Absent,

        /// <summary>Absent, and somebody has confirmed that the user is gone.</summary>
        ConfirmedAbsent,
        Failed,
    }

    /// <summary>
    /// Looks after all of them. What fails with one does not keep the others waiting: it is logged and counted, and the next pass
    /// tries again.
    /// </summary>
    /// <returns>How many users were looked after, of how many data went, and with how many it failed.</returns>
    public async Task<RetentionPass> RunAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        var kept = await snapshots.ListUsersAsync(cancellation);
        var known = (await absences.ListAsync(cancellation)).ToDictionary(absence => absence.UserId, StringComparer.Ordinal);
        var looks = new int[Enum.GetValues<Look>().Length];
        var (settled, held) = await SettleAsync(client, kept, cancellation);
        looks[(int)Look.Removed] += settled.Count;
        if (held > 0)
            await absenceRemoval.RaiseAsync(held, cancellation);
        foreach (var some in (await progress.OrderAsync(kept.Except(settled), cancellation)).Chunk(BetweenNotes))
        {
            await LookAfterAsync(client, some, known, looks, cancellation);
            await progress.NoteAsync(some[^1], cancellation);
        }

        var (removed, absent, failed) = (looks[(int)Look.Removed], looks[(int)Look.Absent], looks[(int)Look.Failed]);

        // At the first look already, although nothing goes before the second: so there is a day to look at the API key.
        var isAnybodyThere = looks[(int)Look.Kept] + removed > 0;
        if (held == 0 && absent > 0 && (absent > removalOptions.Value.MostOf(kept.Count) || !isAnybodyThere))
            await absenceRemoval.RaiseAsync(absent, cancellation);
        var pass = new RetentionPass(looks.Sum(), removed, failed, absent + looks[(int)Look.ConfirmedAbsent]);
        Log.RetentionEnforced(logger, pass.Users, pass.Removed, pass.Absent, pass.Failed);
        return pass;
    }

    /// <summary>Removes those of whom Basiq has had nothing for long enough. While it cannot be asked, the others still have their turn.</summary>
    private async Task<(IReadOnlyCollection<string> Removed, int Held)> SettleAsync(
        DurableTaskClient client, IReadOnlyCollection<string> kept, CancellationToken cancellation)
    {
        try
        {
            return await absenceRemoval.SettleAsync(client, kept, cancellation);
        }
        catch (BasiqException e)
        {
            Log.AbsencesNotSettled(logger, e.Failure.ToString());
            return ([], 0);
        }
    }

    private Task LookAfterAsync(
        DurableTaskClient client, IReadOnlyCollection<string> users, IReadOnlyDictionary<string, UserAbsence> known, int[] looks, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            users,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation },
            async (userId, token) => Interlocked.Increment(ref looks[(int)await LookAfterAsync(client, userId, known, token)]));

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong with one user must not keep the others' data.")]
    private async Task<Look> LookAfterAsync(DurableTaskClient client, string userId, IReadOnlyDictionary<string, UserAbsence> known, CancellationToken cancellation)
    {
        try
        {
            return await LookAtConsentsAsync(client, userId, known, cancellation);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            instruments.RetentionFailed();

            // A refused API key is told by whoever refused it, once a minute and not for each user.
            if (e is not BasiqException { Failure.Kind: BasiqFailureKind.Unauthorized })
                Log.RetentionFailed(logger, userId, e.GetType().Name);
            return Look.Failed;
        }
    }

    /// <summary>Asks Basiq, and then judges the age of what is kept: Basiq's answer says whether this machine's clock is right.</summary>
    private async Task<Look> LookAtConsentsAsync(DurableTaskClient client, string userId, IReadOnlyDictionary<string, UserAbsence> known, CancellationToken cancellation)
    {
        ConsentEndResult result;
        try
        {
            result = await end.RunAsync(client, userId, null, cancellation);
        }
        catch (BasiqException) when (clockCheck.IsConfirmed)
        {
            // What is too old goes whatever Basiq would say of the consent.
            if (await RemoveTooOldAsync(client, userId, cancellation))
                return Look.Removed;
            throw;
        }

        var isAnyRemoved = clockCheck.IsConfirmed && await RemoveTooOldAsync(client, userId, cancellation);
        if (result.Outcome is not (ConsentEndOutcome.UserUnknown or ConsentEndOutcome.NothingListed))
        {
            if (known.ContainsKey(userId))
                await absences.ClearAsync(userId, cancellation);
            return isAnyRemoved || result.Removals.Count > 0 ? Look.Removed : Look.Kept;
        }

        if (isAnyRemoved || result.Removals.Count > 0)
            return Look.Removed;

        // Two looks lie a day apart by a clock that is right at both.
        var absence = clockCheck.IsConfirmed
            ? await absences.NoteAsync(new UserAbsence(userId, result.Outcome, clock.GetUtcNow()), cancellation)
            : known.GetValueOrDefault(userId);
        return absence is { IsConfirmed: true } ? Look.ConfirmedAbsent : Look.Absent;
    }

    /// <summary>Removes what has been kept as long as it may be; false when nothing has.</summary>
    private async Task<bool> RemoveTooOldAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        var tooOld = new DeletionCause(DeletionReason.Retention);
        var snapshot = await FindSnapshotAsync(userId, cancellation);
        if (snapshot is not null && IsTooOld(snapshot.FetchedAt))
            return (await removals.RunAsync(client, userId, null, tooOld)).IsAny;

        // A connection that is not fetched any more does not stay because another one is.
        var isAnyRemoved = false;
        foreach (var connection in (snapshot?.Accounts ?? []).GroupBy(account => account.ConnectionId))
        {
            if (connection.All(account => IsTooOld(account.FetchedAt)))
                isAnyRemoved |= (await removals.RunAsync(client, userId, connection.Key, tooOld)).IsAny;
        }

        return isAnyRemoved;
    }

    private bool IsTooOld(DateTimeOffset fetchedAt) => fetchedAt + snapshotOptions.Value.MaxAge <= clock.GetUtcNow();

    private async Task<CurrentSnapshot?> FindSnapshotAsync(string userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.GetCurrentAsync(userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            // Nobody can read how old it is. It goes with the consent, as any other.
            return null;
        }
    }
}
