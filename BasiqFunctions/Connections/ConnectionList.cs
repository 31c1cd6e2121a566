using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Connections;

/// <summary>ListConnections' answer: the connections as Basiq sent them.</summary>
/// <param name="Connections">The connections.</param>
/// <param name="Attention">What is known to be the matter with some of them; left out when nothing is.</param>
internal sealed record ConnectionList(
    [property: JsonPropertyName("connections")] IReadOnlyList<Connection> Connections,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("attention")]
    IReadOnlyList<ConnectionAttention>? Attention = null);
