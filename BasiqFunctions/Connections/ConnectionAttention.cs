using System.Text.Json.Serialization;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Connections;

/// <summary>What is the matter with a connection.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="NextAction">What to do about it.</param>
/// <param name="Since">Since when.</param>
public sealed record ConnectionAttention(
    [property: JsonPropertyName("connectionId")] string ConnectionId,
    [property: JsonPropertyName("nextAction")] NextAction NextAction,
    [property: JsonPropertyName("since")] DateTimeOffset Since);
