using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
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
    ConsentWarnings warnings,
    Syncs syncs,
    SnapshotStore snapshots,
    IOptions<SyncOptions> options,
    TimeProvider clock)
{
    /// <summary>Acts on an event; done again it changes nothing, or finishes what an interruption left.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    public async Task<EventHandled> ActAsync(DurableTaskClient client, BasiqEvent happened, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var type = happened.TypeId;
        if (!EventTypes.Subscribed.Contains(type))
            return new EventHandled(EventTypes.Other, "unknown-type");
        if (happened.UserId is not { } userId)
            return new EventHandled(type, "no-user");
        if (type is EventTypes.ConsentRevoked or EventTypes.ConsentExpired or EventTypes.UserDeleted)
            return await EndAsync(client, type, userId, happened.EndedConsentId, cancellation);
        if (type is EventTypes.ConsentWarning)
            return new EventHandled(type, await WarnAsync(userId, happened.ConsentId, happened.CreatedAt, cancellation));
        if (happened.ConnectionId is not { } connectionId)
            return new EventHandled(type, "no-connection");

        var connection = await FindConnectionAsync(userId, connectionId, cancellation);
        return new EventHandled(type, (type, connection) switch
        {
            (EventTypes.ConnectionDeleted, null) => await RemoveAsync(client, userId, connectionId),
            (_, null) => "no-such-connection",
            (EventTypes.ConnectionDeleted, _) => "still-there",
            (EventTypes.ConnectionInvalidated, { Status: "active" }) => await ClearAsync(userId, connectionId, cancellation),
            (EventTypes.ConnectionInvalidated, _) => await MarkAsync(client, userId, connectionId, happened.CreatedAt, cancellation),
            _ => await FetchAsync(client, userId, connectionId, happened, cancellation),
        });
    }

    private async Task<EventHandled> EndAsync(
        DurableTaskClient client, string type, string userId, string? consentId, CancellationToken cancellation)
    {
        var end = await enforcement.EnforceAsync(client, userId, consentId, cancellation, isDeleted: type is EventTypes.UserDeleted);
        return new EventHandled(
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
    }

    private async Task<string> WarnAsync(string userId, string? consentId, DateTimeOffset? warnedAt, CancellationToken cancellation)
    {
        var consents = await basiq.ListConsentsAsync(userId, cancellation);
        if (consents.FirstOrDefault(consent => consent.Id == consentId) is not { } warned || warned.HasEnded)
            return "no-such-consent";
        await warnings.NoteAsync(userId, warned.Id, warnedAt ?? clock.GetUtcNow(), cancellation);
        return "noted";
    }

    private async Task<string> RemoveAsync(DurableTaskClient client, string userId, string connectionId) =>
        await removals.RunAsync(client, userId, connectionId, new DeletionCause(DeletionReason.ConnectionDeleted)) is { IsAny: true }
            ? "removed"
            : "nothing-kept";

    private async Task<string> MarkAsync(
        DurableTaskClient client, string userId, string connectionId, DateTimeOffset? since, CancellationToken cancellation)
    {
        await attentions.MarkAsync(new ConnectionAttention(connectionId, NextAction.Reconnect, since ?? clock.GetUtcNow()), userId, cancellation);

        // Nothing is noted of somebody whose data has gone. Looked up after the note was made: a removal that begins later takes it along.
        if ((await basiq.ListConsentsAsync(userId, cancellation)).All(consent => consent.HasEnded))
        {
            await attentions.ClearAsync(userId, connectionId, cancellation);
            return "no-consent";
        }

        // A job that failed may be behind it, and a sync that waits for that job.
        await syncs.WakeAllAsync(client, userId, cancellation);
        return "marked";
    }

    private async Task<string> ClearAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        await attentions.ClearAsync(userId, connectionId, cancellation);
        return "active-again";
    }

    /// <summary>
    /// Has a sync fetch what Basiq has of the connection, without asking the bank again: one that waits for the bank anyway, one that
    /// gathers news of it, or a new one. What has been fetched since the event has the news.
    /// </summary>
    private async Task<string> FetchAsync(
        DurableTaskClient client, string userId, string connectionId, BasiqEvent happened, CancellationToken cancellation)
    {
        var isActivated = happened.TypeId is EventTypes.ConnectionActivated;
        if (isActivated)
            await attentions.ClearAsync(userId, connectionId, cancellation);
        var happenedAt = happened.CreatedAt ?? clock.GetUtcNow();

        // A bank that was connected anew may tell its history otherwise than before; of one that is new the whole is fetched anyway.
        var isFull = isActivated && await FetchedUpToAsync(userId, connectionId, ofWhole: false, cancellation) is not null;
        if (await syncs.WakeForAsync(client, userId, connectionId, happenedAt, isFull, cancellation))
            return "woken";
        if (await FetchedUpToAsync(userId, connectionId, isFull, cancellation) >= happenedAt)
            return "covered";

        // Late news of a job go on when the consent has ended, and a sync would fetch what nobody may keep.
        if ((await basiq.ListConsentsAsync(userId, cancellation)).All(consent => consent.HasEnded))
            return "no-consent";
        var news = await notes.GatherAsync(userId, connectionId, happened.Id, isFull, options.Value.GatherNewsFor, cancellation);
        await syncs.FetchNewsAsync(client, userId, connectionId, news, cancellation);
        return news.EventId == happened.Id ? "fetched" : "gathered";
    }

    private async Task<DateTimeOffset?> FetchedUpToAsync(string userId, string connectionId, bool ofWhole, CancellationToken cancellation)
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
    private async Task<Connection?> FindConnectionAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        try
        {
            return await basiq.GetConnectionAsync(userId, connectionId, cancellation) is { IsDeleted: false } found ? found : null;
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone)
        {
            return null;
        }
    }
}
