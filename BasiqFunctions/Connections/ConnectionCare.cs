using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Connections;

/// <summary>What has to be done about connections that are not active (Basiq, guide: Connection statuses).</summary>
internal static class ConnectionCare
{
    /// <summary>What to do about a connection of this status; null for one that works, or whose status says nothing that is known.</summary>
    public static NextAction? ActionFor(Connection connection) => connection.Status?.ToLowerInvariant() switch
    {
        "init" or "pre-init" => NextAction.FinishConnecting,
        "pending" => NextAction.RetryLater,
        "invalid" or "invalid-connection" or "deleted" => NextAction.Reconnect,
        _ => null,
    };

    /// <summary>What CreateConsentLink takes to bring the person where it is done; null where no consent page helps.</summary>
    public static ContinueWith? LinkFor(Connection connection, NextAction action) => action switch
    {
        NextAction.FinishConnecting => new ContinueWith("connect", connection.InstitutionId, null),
        NextAction.Reconnect when connection.IsDeleted => new ContinueWith("connect", connection.InstitutionId, null),
        NextAction.Reconnect => new ContinueWith(IsOpenBanking(connection) ? "reauthorise" : "update", null, connection.Id),
        _ => null,
    };

    /// <summary>Whether it is read by the rules of open banking, whose days have a budget of visits. One that does not say is.</summary>
    public static bool IsOpenBanking(Connection connection) => connection.Method is null || Connector.Spelled(connection.Method) is Connector.OpenBanking;

    /// <summary>Whether there is a bank behind it that can be visited, and not a statement that was uploaded.</summary>
    public static bool HasBank(Connection connection) => connection is { IsDeleted: false, IsStatement: false };
}

/// <summary>What CreateConsentLink takes to go on.</summary>
/// <param name="Action">The action.</param>
/// <param name="InstitutionId">The bank.</param>
/// <param name="ConnectionId">The connection.</param>
public sealed record ContinueWith(
    [property: JsonPropertyName("action")] string Action,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("institutionId")] string? InstitutionId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connectionId")] ConnectionId? ConnectionId);
