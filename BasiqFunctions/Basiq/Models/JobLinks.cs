using System.Text.RegularExpressions;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Links of a job.</summary>
public sealed partial record JobLinks
{
    /// <summary>The connection, <c>…/users/{userId}/connections/{connectionId}</c>, once it is known.</summary>
    public string? Source { get; init; }

    /// <summary>User and connection that a link, absolute or relative, leads to.</summary>
    internal static (string UserId, string ConnectionId)? ParseConnection(string? link) =>
        link is not null && ConnectionPath().Match(link) is { Success: true } match
            ? (match.Groups["user"].Value, match.Groups["connection"].Value)
            : null;

    [GeneratedRegex("^(https?://[^/?#]+)?/users/(?<user>[A-Za-z0-9_-]{1,64})/connections/(?<connection>[A-Za-z0-9_-]{1,64})/?$")]
    private static partial Regex ConnectionPath();
}
