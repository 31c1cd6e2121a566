using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>A user's consents, at Basiq.</summary>
public sealed class UserConsents(IBasiqClient basiq, ConsentWarnings warnings, ConsentEnforcement enforcement, DueWork due, TimeProvider clock)
{
    /// <summary>Lists them, and how they stand.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    internal async Task<ConsentList> ListAsync(string userId, CancellationToken cancellation)
    {
        var consents = await basiq.ListConsentsAsync(userId, cancellation);
        var warned = await warnings.ListAsync(userId, cancellation);
        var now = clock.GetUtcNow();
        if (consents.Where(consent => !consent.HasEnded).Min(consent => consent.EndsAt) is { } nextEnd)
            await due.SetAsync(userId, cancellation, (DueKinds.ConsentCheck, nextEnd));
        return new ConsentList(
            consents,
            [.. consents.Select(c => ConsentStanding.Of(c, now, warned.TryGetValue(c.Id, out var at) ? at : null))]);
    }

    /// <summary>
    /// Revokes a consent at Basiq and removes what nobody may keep any more. One that has ended already counts as revoked, so that
    /// calling again finishes what an interruption left, also where Basiq no longer knows of the consent.
    /// </summary>
    /// <returns>A removal that goes on by itself; null when all that had to go is gone.</returns>
    /// <exception cref="BasiqException">
    /// Basiq could not be asked, or does not know the user or the consent (<see cref="BasiqFailureKind.NotFound"/>), and nothing had
    /// to go.
    /// </exception>
    public async Task<RemovalAsked?> RevokeAsync(DurableTaskClient client, string userId, string consentId, CancellationToken cancellation)
    {
        var unknown = await basiq.DeleteConsentAsync(userId, consentId, cancellation).NotFoundAsync();

        // From here on the consent is gone: a caller that hangs up must not keep the data here.
        var result = await enforcement.EnforceAsync(client, userId, consentId, CancellationToken.None, isRevoked: unknown is null);
        if (result.Removals.Count > 0 || (unknown is null && result.Outcome is not EnforcementOutcome.UserUnknown))
            return result.UnderWay;

        // Who of the two is unknown: the list says.
        var consents = await basiq.ListConsentsAsync(userId, cancellation);
        if (unknown is not null && !consents.Any(c => c.Id == consentId && c.HasEnded))
            throw unknown;
        return null;
    }
}
