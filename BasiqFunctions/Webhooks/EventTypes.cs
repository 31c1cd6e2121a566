namespace BasiqFunctions.Webhooks;

/// <summary>The types of events that this app acts on (Basiq, API reference: <c>GET /events/types</c>).</summary>
internal static class EventTypes
{
    public const string ConsentRevoked = "consent.revoked";
    public const string ConsentExpired = "consent.expired";
    public const string ConsentWarning = "consent.warning";
    public const string ConsentArchived = "consent.archived";
    public const string ConsentDeleted = "consent.deleted";
    public const string UserDeleted = "user.deleted";
    public const string ConnectionInvalidated = "connection.invalidated";
    public const string ConnectionDeleted = "connection.deleted";
    public const string ConnectionActivated = "connection.activated";
    public const string AccountUpdated = "account.updated";
    public const string TransactionsUpdated = "transactions.updated";

    /// <summary>What telemetry calls all others.</summary>
    public const string Other = "other";

    /// <summary>Those that the subscription is for.</summary>
    public static readonly IReadOnlyList<string> Subscribed =
    [
        ConsentRevoked, ConsentExpired, ConsentWarning, UserDeleted, ConnectionInvalidated, ConnectionDeleted, ConnectionActivated,
        AccountUpdated, TransactionsUpdated,
    ];

    /// <summary>Those that are acted on. That a consent was archived or deleted at Basiq only its list of events says: no webhook can be had for it.</summary>
    public static readonly IReadOnlyList<string> ActedOn = [.. Subscribed, ConsentArchived, ConsentDeleted];

    /// <summary>
    /// What events are about that oblige this app to do something, so that none may be missed. The others bring news, which Basiq's next
    /// refresh brings again.
    /// </summary>
    public static readonly IReadOnlyList<string> ObligingEntities = ["consent", "user", "connection"];
}
