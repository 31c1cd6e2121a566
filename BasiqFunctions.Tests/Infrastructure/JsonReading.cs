using System.Text.Json.Nodes;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>Reads what stands at a path such as <c>properties.siteConfig.minTlsVersion</c>.</summary>
internal static class JsonReading
{
    public static JsonNode? At(this JsonNode node, string path) =>
        path.Split('.').Aggregate((JsonNode?)node, (found, name) => found is JsonObject json ? json[name] : null);

    /// <summary>The text at a path, any other value as JSON; null for nothing.</summary>
    public static string? Text(this JsonNode node, string path) => node.At(path) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        { } other => other.ToJsonString(),
    };
}
