using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// A link to Basiq's consent page that can be sent by SMS or e-mail: the person who opens it is identified by a code sent to the mobile.
/// Anybody who holds it may try, so only the caller gets it.
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
