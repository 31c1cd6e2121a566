using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

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
