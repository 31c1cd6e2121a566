using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Consents;

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
