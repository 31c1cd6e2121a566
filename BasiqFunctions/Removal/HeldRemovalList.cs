using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>ListHeldRemovals' answer.</summary>
/// <param name="Removals">The passes that held up removals, the newest first.</param>
internal sealed record HeldRemovalList([property: JsonPropertyName("removals")] IReadOnlyList<HeldRemoval> Removals);
