using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>
/// Does what is due, each kind in its own way. All of them look at what is true now, and then move the row to when they are due again, or
/// take it out.
/// </summary>
public sealed class DueLooks(
    DueWork due,
    ConsentEnforcement enforcement,
    UserAbsences absences,
    Removals removals,
    SnapshotReader snapshots,
    SnapshotRemoval storedData,
    RecordTableList tables,
    IEnumerable<IDueLook> others,
    IOptions<DueOptions> options,
    IOptions<SnapshotOptions> snapshotOptions,
    Instruments instruments,
    TimeProvider clock,
    ILogger<DueLooks> logger)
{
    private static readonly RetentionPass NobodyLookedAt = new(0, 0, 0);
    private static readonly RetentionPass Kept = new(1, 0, 0);
    private static readonly RetentionPass Removed = new(1, 1, 0);

    /// <summary>Does something that is due, and gives what the team's backend is to be told. Where that fails it is due again tomorrow, and keeps nothing else waiting.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong with one user must not keep the others' data.")]
    internal async Task<RetentionPass> DoAsync(DurableTaskClient client, DueItem item, Action<Notice> tell, CancellationToken cancellation)
    {
        if (!item.IsOfUser && item.Record.Damage is not null)
        {
            // Which record it meant nobody can tell, and kept it would stop every pass.
            Log.EndNoteDamaged(logger);
            await due.DoneAsync(item, cancellation);
            return NobodyLookedAt;
        }

        try
        {
            return item.Kind switch
            {
                DueKinds.ConsentCheck => await LookAtConsentsAsync(client, item, tell, cancellation),
                DueKinds.Age => await LookAtAgeAsync(client, item, cancellation),
                DueKinds.Leftover => await LookForLeftoversAsync(item, cancellation),
                DueKinds.RecordEnd => await EndRecordAsync(item, cancellation),
                var kind when others.FirstOrDefault(other => other.Kind == kind) is { } other => await LookAsync(client, item, other, tell, cancellation),
                var kind => throw new InvalidOperationException($"Nobody knows how to do '{kind}'."),
            };
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            await due.MoveAsync(item, clock.GetUtcNow(), cancellation);
            if (!item.IsOfUser)
            {
                Log.RecordNotEnded(logger, e.GetType().Name);
                return NobodyLookedAt;
            }

            // A refused API key is logged where it is refused, once a minute and not once a user.
            instruments.RetentionFailed();
            if (e is not BasiqException { Failure.Kind: BasiqFailureKind.Unauthorized })
                Log.RetentionFailed(logger, item.UserId, e.GetType().Name);
            return new RetentionPass(1, 0, Failed: 1);
        }
    }

    /// <summary>Does what another folder knows how to do.</summary>
    private async Task<RetentionPass> LookAsync(DurableTaskClient client, DueItem item, IDueLook other, Action<Notice> tell, CancellationToken cancellation)
    {
        var next = await other.LookAsync(client, item.UserId, tell, cancellation);
        await (next is { } at ? due.MoveAsync(item, at, cancellation) : due.DoneAsync(item, cancellation));
        return NobodyLookedAt;
    }

    /// <summary>Asks Basiq how the consents stand, which removes what has to go.</summary>
    private async Task<RetentionPass> LookAtConsentsAsync(DurableTaskClient client, DueItem item, Action<Notice> tell, CancellationToken cancellation)
    {
        var (userId, now) = (item.UserId, clock.GetUtcNow());
        var result = await enforcement.EnforceAsync(client, userId, null, cancellation);
        if (result.Outcome is EnforcementOutcome.UserUnknown or EnforcementOutcome.NothingListed)
        {
            // From here on the absence says when the user is looked for again.
            await absences.NoteAsync(new UserAbsence(userId, result.Outcome, now), cancellation);
            await due.DoneAsync(item, cancellation);
            return new RetentionPass(1, 0, 0, Absent: 1);
        }

        // A removal that has ended has taken out what was due and the absence.
        if (result is { Outcome: EnforcementOutcome.Removed, UnderWay: null })
            return Removed;

        await absences.ClearAsync(userId, cancellation);
        if (result.IsAnythingKept)
        {
            foreach (var ending in result.InForce.Select(consent => ConsentEnding.At(now, userId, consent)).OfType<Notice>())
                tell(ending);
            var next = new DateTimeOffset((now + options.Value.CheckEvery).UtcDateTime.Date, TimeSpan.Zero);
            await due.MoveAsync(item, result.InForce.SelectMany(consent => ConsentEnding.After(now, consent)).Append(next).Min(), cancellation);
        }
        else
        {
            await due.DoneAsync(item, cancellation);
        }

        return result.Removals.Count > 0 ? Removed : Kept;
    }

    /// <summary>Removes what has been kept as long as it may be, by a clock that the pass has found to be confirmed.</summary>
    private async Task<RetentionPass> LookAtAgeAsync(DurableTaskClient client, DueItem item, CancellationToken cancellation)
    {
        var tooOld = new DeletionCause(DeletionReason.Retention);
        CurrentSnapshot? snapshot;
        try
        {
            snapshot = await snapshots.GetCurrentAsync(item.UserId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            // Nobody can read how old it is. It goes with the consent, as any other.
            await due.MoveAsync(item, clock.GetUtcNow() + options.Value.CheckEvery, cancellation);
            return NobodyLookedAt;
        }

        // A connection that is not fetched any more does not stay because another one is.
        var ends = (snapshot?.Accounts ?? []).GroupBy(account => account.ConnectionId)
            .Select(connection => (Id: connection.Key, At: connection.Max(account => account.FetchedAt) + snapshotOptions.Value.MaxAge)).ToArray();
        var now = clock.GetUtcNow();
        if (snapshot is not null && snapshot.FetchedAt + snapshotOptions.Value.MaxAge <= now)
        {
            var asked = await removals.RunAsync(client, item.UserId, null, tooOld);

            // One that goes on takes out what is due at its end.
            if (!asked.HasEnded)
                await due.MoveAsync(item, now, cancellation);
            return asked.IsAny ? Removed : NobodyLookedAt;
        }

        var isAnyRemoved = false;
        foreach (var (connectionId, _) in ends.Where(connection => connection.At <= now))
            isAnyRemoved |= (await removals.RunAsync(client, item.UserId, connectionId, tooOld)).IsAny;
        var left = ends.Where(connection => connection.At > now).ToArray();
        await (left.Length > 0 ? due.MoveAsync(item, left.Min(connection => connection.At), cancellation) : due.DoneAsync(item, cancellation));
        return isAnyRemoved ? Removed : NobodyLookedAt;
    }

    private async Task<RetentionPass> LookForLeftoversAsync(DueItem item, CancellationToken cancellation)
    {
        DateTimeOffset? next;
        try
        {
            next = await storedData.RemoveLeftoversAsync(item.UserId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            // What it refers to cannot be told, so nothing of this user's goes.
            next = clock.GetUtcNow() + snapshotOptions.Value.LeftoverGrace;
        }

        await (next is { } at ? due.MoveAsync(item, at, cancellation) : due.DoneAsync(item, cancellation));
        return NobodyLookedAt;
    }

    private async Task<RetentionPass> EndRecordAsync(DueItem item, CancellationToken cancellation)
    {
        var record = item.Record.Read<RecordEnd>();
        var table = tables.All.First(known => known.Key == record.Table).Table;
        while (true)
        {
            if (await table.FindAsync(record.Partition, record.Row, cancellation) is not { ExpiresAt: { } expiresAt } found)
                break;
            if (found.IsLiveAt(clock.GetUtcNow()))
            {
                await due.MoveAsync(item, expiresAt, cancellation);
                return NobodyLookedAt;
            }

            if (await table.TryRemoveAsync(found, cancellation))
                break;
        }

        await due.DoneAsync(item, cancellation);
        return NobodyLookedAt;
    }
}
