using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Health;

/// <summary>How one dependency does.</summary>
/// <param name="Name"><c>server-token</c>, <c>key-vault</c>, <c>snapshots</c>, <c>records</c>, <c>task-hub</c> or <c>basiq</c>.</param>
/// <param name="Status">How well.</param>
/// <param name="Detail">Why, as a code or a time; never a secret.</param>
/// <param name="CheckedAt">When it was asked last; whoever asks within 5 s gets the same answer.</param>
public sealed record HealthLine(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status")] HealthStatus Status,
    [property: JsonPropertyName("detail")] string? Detail,
    [property: JsonPropertyName("checkedAt")] DateTimeOffset CheckedAt);
