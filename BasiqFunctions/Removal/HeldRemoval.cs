using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>That a daily pass found so many users to be gone from Basiq that it removed none of them.</summary>
/// <param name="PassId">The pass, by which it is confirmed.</param>
/// <param name="Users">Of how many users Basiq had nothing.</param>
/// <param name="HeldAt">When that was.</param>
/// <param name="ExpiresAt">Until when it can be confirmed, or its confirmation holds.</param>
/// <param name="ConfirmedAt">When it was confirmed, where it was.</param>
internal sealed record HeldRemoval(
    [property: JsonPropertyName("passId")] string PassId,
    [property: JsonPropertyName("users")] int Users,
    [property: JsonPropertyName("heldAt")] DateTimeOffset HeldAt,
    [property: JsonPropertyName("expiresAt")] DateTimeOffset ExpiresAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("confirmedAt")] DateTimeOffset? ConfirmedAt = null)
{
    /// <summary>Whether it is about this user's absence.</summary>
    public bool Holds(UserAbsence absence) => absence.Since <= HeldAt;
}

/// <summary>ListHeldRemovals' answer.</summary>
/// <param name="Removals">The passes that held up removals, the newest first.</param>
internal sealed record HeldRemovalList([property: JsonPropertyName("removals")] IReadOnlyList<HeldRemoval> Removals);

/// <summary>ConfirmRemoval's answer.</summary>
/// <param name="PassId">The pass.</param>
/// <param name="ConfirmedAt">When it was first confirmed.</param>
/// <param name="Removed">Users whose data this call removed.</param>
/// <param name="Waiting">
/// Users of the pass of whom Basiq had nothing at the last look and whose data is still here: it has not been so for long enough, or the
/// API key reads nobody. The daily pass goes on with them.
/// </param>
internal sealed record ConfirmedRemoval(
    [property: JsonPropertyName("passId")] string PassId,
    [property: JsonPropertyName("confirmedAt")] DateTimeOffset ConfirmedAt,
    [property: JsonPropertyName("removed")] int Removed,
    [property: JsonPropertyName("waiting")] int Waiting);
