using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>A user's consents, at Basiq.</summary>
public sealed class UserConsents(IBasiqClient basiq, ConsentWarnings warnings, ConsentEnforcement enforcement, DueWork due, TimeProvider clock)
{
    /// <summary>Lists them, and how they stand.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    internal async Task<ConsentList> ListAsync(UserId userId, CancellationToken cancellation)
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
    public async Task<RemovalAsked?> RevokeAsync(DurableTaskClient client, UserId userId, string consentId, CancellationToken cancellation)
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

/// <summary>ListConsents' answer.</summary>
/// <param name="Consents">The consents as Basiq sent them.</param>
/// <param name="Standings">How each of them stands, in the same order.</param>
internal sealed record ConsentList(
    [property: JsonPropertyName("consents")] IReadOnlyList<Consent> Consents,
    [property: JsonPropertyName("standings")] IReadOnlyList<ConsentStanding> Standings);

/// <summary>How a consent stands, by this app's clock and by what Basiq has told it.</summary>
/// <param name="ConsentId">The consent.</param>
/// <param name="Status"><c>active</c>, <c>revoked</c> or <c>expired</c>, as Basiq says; a status that it does not document is passed on.</param>
/// <param name="EndsAt">When it ends or ended, where Basiq says so.</param>
/// <param name="WarnedAt">When Basiq warned of its end, where it did.</param>
/// <param name="IsDoubted">
/// True for one that its dates have over and its status has not: it is in force, and Basiq is asked again. Left out otherwise.
/// </param>
public sealed record ConsentStanding(
    [property: JsonPropertyName("consentId")] string ConsentId,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("endsAt")] DateTimeOffset? EndsAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("warnedAt")] DateTimeOffset? WarnedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("isDoubted")] bool? IsDoubted)
{
    /// <summary>How a consent stands at a moment.</summary>
    public static ConsentStanding Of(Consent consent, DateTimeOffset now, DateTimeOffset? warnedAt)
    {
        ArgumentNullException.ThrowIfNull(consent);
        var status = consent.IsRevoked ? "revoked" : consent.HasEnded ? "expired" : consent.Status ?? "active";
        return new ConsentStanding(consent.Id, status, consent.EndsAt, warnedAt, consent.IsDoubtedAt(now) ? true : null);
    }
}
