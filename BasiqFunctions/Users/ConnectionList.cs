using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;

namespace BasiqFunctions.Users;

/// <summary>ListConnections' answer: the connections as Basiq sent them.</summary>
/// <param name="Connections">The connections.</param>
internal sealed record ConnectionList([property: JsonPropertyName("connections")] IReadOnlyList<Connection> Connections);
