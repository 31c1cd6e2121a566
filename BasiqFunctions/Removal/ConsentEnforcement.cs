using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

/// <summary>
/// Does what the end of a consent requires, however it became known: asks Basiq what is true and removes what nobody may keep
/// any more (Consumer Data Right: data goes with the consent).
/// </summary>
/// <remarks>
/// <para>
/// Nothing in Basiq's API says which connection was made under which consent. While another consent is in force, what goes is
/// the data of connections that Basiq no longer lists, and of those that it lists as <c>invalid</c> and that are older than every
/// consent in force: made before it, and fetched before it. A connection that became invalid under a consent in force, as
/// when the password changed at the bank, keeps its data.
/// </para>
/// <para>
/// A consent counts as ended when Basiq calls it revoked or expired (<see cref="Consent.HasEnded"/>), or when Basiq or the caller names
/// it as ended and Basiq no longer lists it. That Basiq knows nothing of a user, or lists no consent, is no end: with the API key of
/// another application it says the same. Then nothing is removed here, and <see cref="AbsenceRemoval"/> finds out what is true.
/// </para>
/// </remarks>
public sealed class ConsentEnforcement(
    IBasiqClient basiq, SnapshotReader snapshots, Removals removals, TimeProvider clock, ILogger<ConsentEnforcement> logger)
{
    /// <summary>
    /// Has what has to go now removed, if anything has. Calling it again changes nothing.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="consentId">The consent that is said to have ended, where one is.</param>
    /// <param name="cancellation">Stops it half-way; another call goes on.</param>
    /// <param name="isRevoked">Whether that consent has just been revoked, so that it has ended whatever Basiq's list still says.</param>
    /// <param name="isDeleted">Whether Basiq has confirmed that the user was deleted, so that not to know the user means just that.</param>
    /// <exception cref="BasiqException">Basiq could not be asked, or contradicts itself; nothing has been removed.</exception>
    public async Task<EnforcementResult> EnforceAsync(
        DurableTaskClient client,
        UserId userId,
        string? consentId,
        CancellationToken cancellation,
        bool isRevoked = false,
        bool isDeleted = false)
    {
        if (await basiq.ListConsentsAsync(userId, cancellation).OrNullAsync() is not { } consents)
        {
            return isDeleted
                ? await AllOfItAsync(client, userId, new DeletionCause(DeletionReason.UserDeleted))
                : new EnforcementResult(EnforcementOutcome.UserUnknown, [], IsComplete: true);
        }

        var (ended, inForce) = (new List<Consent>(), new List<Consent>());
        foreach (var consent in consents)
            (consent.HasEnded || (isRevoked && consent.Id == consentId) ? ended : inForce).Add(consent);
        var cause = CauseOf(ended, consentId, isRevoked);
        var isConsented = inForce.Count > 0
            || (!isRevoked && await RestsOnStatementsAsync(userId, consents, cancellation) && consentId is null && !isDeleted);
        if (!isConsented)
        {
            return consents.Count == 0 && consentId is null
                ? new EnforcementResult(EnforcementOutcome.NothingListed, [], !isDeleted)
                : await AllOfItAsync(client, userId, cause);
        }

        var hasAnyEnded = ended.Count > 0 || consentId is not null;
        List<RemovalAsked> removed = [];

        // What is kept is looked up first: a connection that is made and fetched meanwhile would look like one that Basiq no longer lists.
        var kept = await KeptConnectionsAsync(userId, cancellation);
        var connections = kept is not { Count: > 0 } ? [] : await ConnectionsAsync(userId, kept.Keys, cancellation);
        foreach (var (connectionId, fetchedAt) in kept ?? new Dictionary<ConnectionId, DateTimeOffset?>())
        {
            var connection = connections.FirstOrDefault(connection => connection.Id == connectionId);
            var isLeft = connection is null || (hasAnyEnded && IsOlderThan(inForce, connection, fetchedAt));

            // Also where nothing is published yet: the mark keeps a sync that has begun from publishing it.
            var why = hasAnyEnded ? cause : new DeletionCause(DeletionReason.ConnectionDeleted);
            if (isLeft && await removals.RunAsync(client, userId, connectionId, why) is { IsAny: true } removal)
                removed.Add(removal);
        }

        if (hasAnyEnded || removed.Count > 0)
            Log.StillConsented(logger, userId, removed.Count);
        var now = clock.GetUtcNow();
        var isDoubted = inForce.Any(consent => consent.Id == consentId && consent.IsDoubtedAt(now));
        return new EnforcementResult(EnforcementOutcome.StillConsented, removed, !isDoubted)
        {
            InForce = inForce,
            IsAnythingKept = kept is not { Count: 0 },
        };
    }

    /// <summary>Whether a consent of the user is in force, or there are only statements that the team uploaded, so that data may be fetched and kept.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked, or contradicts itself.</exception>
    public async Task<bool> IsConsentInForceAsync(UserId userId, CancellationToken cancellation)
    {
        var consents = await basiq.ListConsentsAsync(userId, cancellation);
        return await RestsOnStatementsAsync(userId, consents, cancellation) || consents.Any(consent => !consent.HasEnded);
    }

    /// <summary>Under which of Basiq's words the consent ended: the one that was named, else the one that changed last.</summary>
    private static DeletionCause CauseOf(IReadOnlyCollection<Consent> ended, string? consentId, bool isRevoked)
    {
        if (isRevoked)
            return new DeletionCause(DeletionReason.ConsentRevoked, consentId);
        var last = ended.FirstOrDefault(consent => consent.Id == consentId)
            ?? ended.OrderByDescending(consent => consent.Updated, StringComparer.Ordinal).FirstOrDefault();
        return new DeletionCause(
            last is null || last.IsRevoked ? DeletionReason.ConsentRevoked : DeletionReason.ConsentExpired, last?.Id ?? consentId);
    }

    /// <summary>
    /// Whether a connection that no longer works was made, and what is kept of it fetched, before any of these consents was given.
    /// False wherever Basiq leaves out what it takes to say so.
    /// </summary>
    private static bool IsOlderThan(IReadOnlyCollection<Consent> inForce, Connection connection, DateTimeOffset? fetchedAt)
    {
        if (!connection.IsInvalid || inForce.Any(consent => consent.EndsAt is { } end && end == BasiqTime.Of(connection.ExpiryDate)))
            return false;
        return inForce.All(consent =>
            BasiqTime.Of(consent.Created) is { } given
            && BasiqTime.Of(connection.CreatedDate) < given
            && (fetchedAt ?? BasiqTime.Of(connection.LastUsed)) < given);
    }

    /// <summary>
    /// Whether all that Basiq has of a user without any consent are statements that were uploaded, which takes none. Refuses to take a user for one
    /// without a consent where Basiq lists none while a connection works, be it a statement beside a bank whose data only the consents vouch for.
    /// </summary>
    private async Task<bool> RestsOnStatementsAsync(UserId userId, IReadOnlyList<Consent> consents, CancellationToken cancellation)
    {
        if (consents.Count > 0)
            return false;
        var connections = (await basiq.ListConnectionsAsync(userId, cancellation)).Where(connection => !connection.IsDeleted).ToArray();
        if (!connections.Any(connection => connection.IsActive))
            return false;
        return connections.All(connection => connection.IsStatement)
            ? true
            : throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "connections-without-consents") { IsTransient = true });
    }

    /// <summary>Which connections Basiq has. Each that is kept and is not in its list is asked for once more.</summary>
    private async Task<IReadOnlyList<Connection>> ConnectionsAsync(UserId userId, IEnumerable<ConnectionId> kept, CancellationToken cancellation)
    {
        List<Connection> found = [.. await basiq.ListConnectionsAsync(userId, cancellation)];
        foreach (var connectionId in kept.Except(found.Select(connection => connection.Id)).ToArray())
        {
            if (await basiq.GetConnectionAsync(userId, connectionId, cancellation).OrNullAsync() is { } connection)
                found.Add(connection);
        }

        return found;
    }

    private async Task<EnforcementResult> AllOfItAsync(DurableTaskClient client, UserId userId, DeletionCause why)
    {
        var removal = await removals.RunAsync(client, userId, null, why);
        return removal.IsAny
            ? new EnforcementResult(EnforcementOutcome.Removed, [removal], IsComplete: true)
            : new EnforcementResult(EnforcementOutcome.NothingKept, [], IsComplete: true);
    }

    /// <summary>
    /// The connections of the snapshot and of syncs that have not published yet, and when each was fetched; null where the snapshot
    /// cannot be read, since then nobody else can read them either.
    /// </summary>
    private async Task<IReadOnlyDictionary<ConnectionId, DateTimeOffset?>?> KeptConnectionsAsync(UserId userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.ListConnectionsAsync(userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            return null;
        }
    }
}
