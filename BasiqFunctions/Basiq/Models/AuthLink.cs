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

/// <summary>Where an auth link leads.</summary>
public sealed record AuthLinkTargets
{
    /// <summary>The link for the person.</summary>
    [JsonPropertyName("public")]
    public required string Public { get; init; }

    /// <summary>Nothing of it: the link is as good as a key.</summary>
    public override string ToString() => nameof(AuthLinkTargets);
}

/// <summary>The body of <c>POST /users/{userId}/auth_link</c>.</summary>
internal sealed record AuthLinkRequest(string? Mobile)
{
    /// <summary>Not the number.</summary>
    public override string ToString() => nameof(AuthLinkRequest);
}
