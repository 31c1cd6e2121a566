using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>That Basiq had nothing of a user of whom something is kept here.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Outcome">How Basiq said so: it does not know the user, or lists nothing of them.</param>
/// <param name="Since">When it first did; it has said so at every look since.</param>
/// <param name="IsConfirmed">Whether somebody has confirmed that the user is gone.</param>
internal sealed record UserAbsence(
    [property: JsonPropertyName("userId")] string UserId,
    [property: JsonPropertyName("outcome")] EnforcementOutcome Outcome,
    [property: JsonPropertyName("since")] DateTimeOffset Since,
    [property: JsonPropertyName("isConfirmed")] bool IsConfirmed = false)
{
    /// <summary>Why what is kept of the user goes, once it is settled that Basiq has nothing of them.</summary>
    [JsonIgnore]
    public DeletionCause Cause =>
        new(Outcome is EnforcementOutcome.UserUnknown ? DeletionReason.UserDeleted : DeletionReason.ConsentRevoked);
}
