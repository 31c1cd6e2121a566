using BasiqFunctions.Basiq;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

/// <summary>
/// Does what the end of a consent obliges to, for whoever hears of one: it asks Basiq what is true and removes what nobody may keep
/// any more (Consumer Data Right: data goes with the consent).
/// </summary>
/// <remarks>
/// <para>
/// Nothing in Basiq's API says which connection was made under which consent. But Basiq's own list of connections follows its
/// consents: so while another consent is active, what goes is the data of the connections that Basiq no longer lists.
/// </para>
/// <para>
/// A consent counts as ended when Basiq calls it revoked or expired, or when its date is over. One of a status that is not
/// documented does not: what was removed cannot be brought back.
/// </para>
/// </remarks>
public sealed class ConsentEnd(
    IBasiqClient basiq, SnapshotStore snapshots, Syncs syncs, DataRemoval removal, TimeProvider clock, ILogger<ConsentEnd> logger)
{
    /// <summary>
    /// Removes what has to go now, if anything has. Calling it again changes nothing, or finishes what an interruption left.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="consentId">The consent that is said to have ended, where one is.</param>
    /// <param name="cancellation">Stops it half-way; another call goes on.</param>
    /// <exception cref="BasiqException">Basiq could not be asked; nothing has been removed.</exception>
    public async Task<ConsentEndResult> RunAsync(
        DurableTaskClient client, string userId, string? consentId, CancellationToken cancellation)
    {
        var (isUserKnown, consents, connections) = await AskAsync(userId, cancellation);
        if (!isUserKnown)
            return await AllOfItAsync(client, userId, new DeletionCause(DeletionReason.UserDeleted), cancellation);

        var now = clock.GetUtcNow();
        var ended = consents.Where(consent => consent.HasEndedBy(now)).ToArray();
        if (ended.Length == consents.Count)
            return await AllOfItAsync(client, userId, CauseOf(ended, consentId), cancellation);

        List<DeletionReceipt> receipts = [.. await removal.FinishAsync(client, userId, cancellation)];
        foreach (var connectionId in await KeptConnectionsAsync(userId, cancellation))
        {
            if (!connections.Contains(connectionId)
                && await removal.RemoveConnectionAsync(userId, connectionId, CauseOf(ended, consentId), cancellation) is { } receipt)
                receipts.Add(receipt);
        }

        Log.StillConsented(logger, userId, receipts.Count);
        return new ConsentEndResult(ConsentEndOutcome.StillConsented, receipts, true);
    }

    /// <summary>Under which of Basiq's words the consent ended: the one that was named, else the one that changed last.</summary>
    private static DeletionCause CauseOf(IReadOnlyCollection<Consent> ended, string? consentId)
    {
        var last = ended.FirstOrDefault(consent => consent.Id == consentId)
            ?? ended.OrderByDescending(consent => consent.Updated, StringComparer.Ordinal).FirstOrDefault();
        return new DeletionCause(
            last is null || last.IsRevoked ? DeletionReason.ConsentRevoked : DeletionReason.ConsentExpired, last?.Id ?? consentId);
    }

    private async Task<(bool IsUserKnown, IReadOnlyList<Consent> Consents, HashSet<string> Connections)> AskAsync(
        string userId, CancellationToken cancellation)
    {
        try
        {
            var consents = await basiq.ListConsentsAsync(userId, cancellation);

            // Asked for before anything goes, and only where it matters.
            var now = clock.GetUtcNow();
            return consents.All(consent => consent.HasEndedBy(now))
                ? (true, consents, [])
                : (true, consents, [.. (await basiq.ListConnectionsAsync(userId, cancellation)).Select(connection => connection.Id)]);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone)
        {
            return (false, [], []);
        }
    }

    private async Task<ConsentEndResult> AllOfItAsync(
        DurableTaskClient client, string userId, DeletionCause why, CancellationToken cancellation)
    {
        var receipt = await removal.RemoveUserAsync(client, userId, why, cancellation);
        return new ConsentEndResult(
            receipt is null ? ConsentEndOutcome.NothingKept : ConsentEndOutcome.Removed,
            receipt is null ? [] : [receipt],
            !await syncs.AnyAsync(client, userId, cancellation));
    }

    /// <summary>The connections of the snapshot; none where it cannot be read, since then nobody else can read them either.</summary>
    private async Task<string[]> KeptConnectionsAsync(string userId, CancellationToken cancellation)
    {
        try
        {
            return [.. (await snapshots.GetCurrentAsync(userId, cancellation))?.Accounts.Select(account => account.ConnectionId).Distinct() ?? []];
        }
        catch (SnapshotCorruptException)
        {
            return [];
        }
    }
}
