using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using FluentValidation;

namespace BasiqFunctions.Connections;

/// <summary>What RefreshConnections is asked for.</summary>
/// <param name="ConnectionId">The connection; all of the user's when null.</param>
/// <param name="Force">Whether a bank is visited although it was a moment ago.</param>
/// <param name="Attended">Whether the person is present, which is so when null: a part of each day's visits is kept for that.</param>
internal sealed record RefreshRequest(string? ConnectionId, bool? Force = null, bool? Attended = null);

/// <summary>What RefreshConnections takes.</summary>
internal sealed class RefreshRequestValidator : AbstractValidator<RefreshRequest>
{
    public RefreshRequestValidator() =>
        RuleFor(refresh => refresh.ConnectionId).IsId();
}

/// <summary>RefreshConnections' answer where no bank was visited.</summary>
/// <param name="Status"><c>fresh</c>, or <c>needs-attention</c> where a bank cannot be visited before somebody does something.</param>
/// <param name="LastFetchedAt">Where it is fresh: from when the data are.</param>
/// <param name="Attention">What has to be done about which connection, of those that are not fresh.</param>
internal sealed record RefreshSpared(
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("lastFetchedAt")] DateTimeOffset? LastFetchedAt,
    [property: JsonPropertyName("attention")] IReadOnlyList<ConnectionAttention>? Attention);

/// <summary>What came of a refresh.</summary>
internal sealed record RefreshOutcome
{
    /// <summary>The sync that follows what was begun.</summary>
    public SyncAnswer? Sync { get; init; }

    /// <summary>Why no bank was visited.</summary>
    public RefreshSpared? Spared { get; init; }

    /// <summary>When there are visits again; null where they are not spent.</summary>
    public DateTimeOffset? SpentUntil { get; init; }
}
