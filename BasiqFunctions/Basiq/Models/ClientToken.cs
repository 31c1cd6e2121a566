using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A CLIENT_ACCESS token: bound to one user, opens only the consent page.</summary>
public sealed record ClientToken
{
    /// <summary>The token itself, a secret.</summary>
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    /// <summary>Always <c>Bearer</c>.</summary>
    [JsonPropertyName("token_type")]
    public required string TokenType { get; init; }

    /// <summary>Lifetime in seconds from the moment of minting.</summary>
    [JsonPropertyName("expires_in")]
    public required int ExpiresIn { get; init; }

    /// <summary>Lifetime alone, never the token.</summary>
    public override string ToString() => $"{nameof(ClientToken)} (expires in {ExpiresIn} s)";
}
