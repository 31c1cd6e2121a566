using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Where an auth link leads.</summary>
public sealed record AuthLinkTargets
{
    /// <summary>The link for the person.</summary>
    [JsonPropertyName("public")]
    public required string Public { get; init; }

    /// <summary>Nothing of it: the link is as good as a key.</summary>
    public override string ToString() => nameof(AuthLinkTargets);
}
