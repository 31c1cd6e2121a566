using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// What is done about events. Each looks at what is true now, at Basiq, and not at what the event says: events come late, twice and
/// out of order.
/// </summary>
public sealed class EventActions(
    IBasiqClient basiq,
    ConsentEnforcement enforcement,
    Removals removals,
    EventNotes notes,
    ConnectionAttentions attentions,
    ConnectionStates states,
    JobLooks looks,
    ConsentWarnings warnings,
    DeletionReceipts receipts,
    Syncs syncs,
    SnapshotReader snapshots,
    IOptions<SyncOptions> options,
    TimeProvider clock)
{
    private const string Woken = "woken";

    /// <summary>Basiq's times are of whole seconds: what it says happened at a second may have happened until the next.</summary>
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Acts on an event; done again it changes nothing, or finishes what an interruption left.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    public async Task<EventHandled> ActAsync(DurableTaskClient client, BasiqEvent happened, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var type = happened.TypeId;
        if (!EventTypes.ActedOn.Contains(type))
            return new EventHandled(EventTypes.Other, "unknown-type");
        if (happened.UserId is not { } userId)
            return new EventHandled(type, "no-user");
        if (type is EventTypes.ConsentRevoked or EventTypes.ConsentExpired or EventTypes.UserDeleted)
            return await EndAsync(client, type, userId, happened.EndedConsentId, cancellation);

        // It need not have ended: what Basiq lists says so.
        if (type is EventTypes.ConsentArchived or EventTypes.ConsentDeleted)
            return await EndAsync(client, type, userId, consentId: null, cancellation);
        if (type is EventTypes.ConsentWarning)
            return new EventHandled(type, await WarnAsync(userId, happened.ConsentId, happened.CreatedAt, cancellation));
        if (happened.ConnectionId is not { } connectionId)
            return new EventHandled(type, "no-connection");

        await states.ForgetAsync(userId, cancellation);
        var connection = await FindConnectionAsync(userId, connectionId, cancellation);
        var handled = (type, connection) switch
        {
            (EventTypes.ConnectionDeleted, null) => new EventHandled(type, await RemoveAsync(client, userId, connectionId)),
            (_, null) => new EventHandled(type, "no-such-connection"),
            (EventTypes.ConnectionDeleted, _) => new EventHandled(type, "still-there"),
            (EventTypes.ConnectionInvalidated, { IsActive: true }) =>
                await RecoverAsync(new EventHandled(type, "active-again"), userId, connectionId, happened, cancellation),
            (EventTypes.ConnectionInvalidated, _) => await MarkAsync(client, userId, connectionId, happened, cancellation),
            (EventTypes.ConnectionActivated, { IsActive: true }) => await RecoverAsync(
                new EventHandled(type, await FetchAsync(client, userId, connectionId, happened, cancellation)), userId, connectionId, happened, cancellation),
            _ => new EventHandled(type, await FetchAsync(client, userId, connectionId, happened, cancellation)),
        };

        // The sync that was woken may fail, or be cancelled: the daily look sees to it.
        if (handled.Outcome is not Woken)
            await looks.HeardAsync(userId, connectionId, cancellation);
        return handled;
    }

    private async Task<EventHandled> EndAsync(
        DurableTaskClient client, string type, UserId userId, string? consentId, CancellationToken cancellation)
    {
        var end = await enforcement.EnforceAsync(client, userId, consentId, cancellation, isDeleted: type is EventTypes.UserDeleted);
        var handled = new EventHandled(
            type,
            end.Outcome switch
            {
                EnforcementOutcome.Removed => "removed",
                EnforcementOutcome.NothingKept => "nothing-kept",
                EnforcementOutcome.UserUnknown => "user-unknown",
                EnforcementOutcome.NothingListed => "nothing-listed",
                _ => "still-consented",
            },
            end.IsComplete);

        // A removal tells of the consent as well, unless nothing was left to remove.
        var hasEndedUntold = consentId is not null && type is not EventTypes.UserDeleted && end.IsComplete
            && (end.Outcome is EnforcementOutcome.StillConsented
                || (end.Outcome is EnforcementOutcome.NothingKept && (await receipts.ListAsync(userId, cancellation)).All(receipt => receipt.ConsentId != consentId)));
        return hasEndedUntold
            ? handled with
            {
                Tells = NoticeTypes.ConsentEnded,
                Told = new NoticeData(userId) { ConsentId = consentId, Reason = type is EventTypes.ConsentExpired ? "consent-expired" : "consent-revoked" },
            }
            : handled;
    }

    private async Task<string> WarnAsync(UserId userId, string? consentId, DateTimeOffset? warnedAt, CancellationToken cancellation)
    {
        var consents = await basiq.ListConsentsAsync(userId, cancellation);
        if (consents.FirstOrDefault(consent => consent.Id == consentId) is not { } warned || warned.HasEnded)
            return "no-such-consent";
        await warnings.NoteAsync(userId, warned.Id, warnedAt ?? clock.GetUtcNow(), cancellation);
        return "noted";
    }

    private async Task<string> RemoveAsync(DurableTaskClient client, UserId userId, ConnectionId connectionId) =>
        await removals.RunAsync(client, userId, connectionId, new DeletionCause(DeletionReason.ConnectionDeleted)) is { IsAny: true }
            ? "removed"
            : "nothing-kept";

    private async Task<EventHandled> MarkAsync(
        DurableTaskClient client, UserId userId, ConnectionId connectionId, BasiqEvent happened, CancellationToken cancellation)
    {
        // As the sync of the job that failed says it, if there is one.
        var last = (await basiq.ListJobsAsync(userId, cancellation).OrNullAsync() ?? []).Where(job => job.ConnectionId == connectionId).MaxBy(job => BasiqTime.Of(job.Updated));
        var action = last is { Outcome: JobOutcome.Failed } && SyncedJob.From(last).NextAction is NextAction.ActAtBank ? NextAction.ActAtBank : NextAction.Reconnect;
        var isNews = await attentions.MarkAsync(
            userId, connectionId, action, happened.CreatedAt ?? clock.GetUtcNow(), happened.Id, cancellation);

        // Nothing is noted of somebody whose data has gone. Looked up after the note was made: a removal that begins later takes it along.
        if (!await enforcement.IsConsentInForceAsync(userId, cancellation))
        {
            await attentions.RemoveAsync(userId, connectionId, cancellation);
            return new EventHandled(happened.TypeId, "no-consent");
        }

        // A job that failed may be behind it, and a sync that waits for that job.
        await syncs.WakeAllAsync(client, userId, cancellation);
        var marked = new EventHandled(happened.TypeId, "marked");
        return isNews
            ? marked with { Tells = NoticeTypes.ConnectionAttention, Told = new NoticeData(userId) { ConnectionId = connectionId, NextAction = action is NextAction.ActAtBank ? "act-at-bank" : "reconnect" } }
            : marked;
    }

    /// <summary>
    /// Notes that a connection works, and tells so where it was told that it did not. An event that comes late says nothing of a bank that is away,
    /// nor of what a job has failed for since.
    /// </summary>
    private async Task<EventHandled> RecoverAsync(
        EventHandled handled, UserId userId, ConnectionId connectionId, BasiqEvent happened, CancellationToken cancellation) =>
        await attentions.ClearAsync(userId, connectionId, clock.GetUtcNow(), happened.Id, cancellation, unless: NextAction.WaitForBank, happened.CreatedAt + Second)
            ? handled with { Tells = NoticeTypes.ConnectionRecovered, Told = new NoticeData(userId) { ConnectionId = connectionId } }
            : handled;

    /// <summary>
    /// Has a sync fetch what Basiq has of the connection, without asking the bank again: one that waits for the bank anyway, one that
    /// gathers news of it, or a new one. What has been fetched since the event has the news.
    /// </summary>
    private async Task<string> FetchAsync(
        DurableTaskClient client, UserId userId, ConnectionId connectionId, BasiqEvent happened, CancellationToken cancellation)
    {
        var isActivated = happened.TypeId is EventTypes.ConnectionActivated;
        var happenedAt = happened.CreatedAt ?? clock.GetUtcNow();

        // A bank that was connected anew may tell its history otherwise than before; of one that is new the whole is fetched anyway.
        var isFull = isActivated && await FindFetchedAsync(userId, connectionId, ofWhole: false, cancellation) is not null;
        if (await syncs.WakeForAsync(client, userId, connectionId, happenedAt, isFull, cancellation))
            return Woken;
        if (await FindFetchedAsync(userId, connectionId, isFull, cancellation) is { } fetched
            && (fetched.AsOf >= happenedAt + Second
                || (fetched.AsOf >= happenedAt && !isFull && await syncs.HadJobOfAsync(client, userId, fetched.SyncId, connectionId, happenedAt, cancellation))))
        {
            return "covered";
        }

        // Late news of a job go on when the consent has ended, and a sync would fetch what nobody may keep.
        if (!await enforcement.IsConsentInForceAsync(userId, cancellation))
            return "no-consent";
        var news = await notes.GatherAsync(userId, connectionId, happened.Id, isFull, options.Value.GatherNewsFor, cancellation);
        await syncs.FetchNewsAsync(client, userId, connectionId, news, cancellation);
        return news.EventId == happened.Id ? "fetched" : "gathered";
    }

    private async Task<(DateTimeOffset AsOf, SyncId SyncId)?> FindFetchedAsync(UserId userId, ConnectionId connectionId, bool ofWhole, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.FindAsOfAsync(userId, connectionId, ofWhole, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            return null;
        }
    }

    /// <summary>The connection; null when Basiq does not have it, or has it as deleted.</summary>
    private async Task<Connection?> FindConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) =>
        await basiq.GetConnectionAsync(userId, connectionId, cancellation).OrNullAsync() is { IsDeleted: false } found ? found : null;
}
