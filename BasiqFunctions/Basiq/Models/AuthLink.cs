using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// A link to Basiq's consent page that can be sent by SMS or e-mail: whoever opens it proves by a code on the mobile who they are.
/// Whoever has it may try, so it goes nowhere but to the caller.
/// </summary>
public sealed record AuthLink
{
    /// <summary>Where the link is.</summary>
    [JsonPropertyName("links")]
    public required AuthLinkTargets Links { get; init; }

    /// <summary>Until when it can be opened.</summary>
    [JsonPropertyName("expiresAt")]
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Nothing of it: the link is as good as a key.</summary>
    public override string ToString() => nameof(AuthLink);
}
