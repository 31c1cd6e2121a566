using BasiqFunctions.Basiq;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Connections;

internal static partial class Log
{
    [LoggerMessage(3103, LogLevel.Information, "Removed connection {ConnectionId} of user {UserId}; known to Basiq: {KnownToBasiq}")]
    public static partial void ConnectionRemoved(this ILogger logger, string connectionId, string userId, bool knownToBasiq);

    [LoggerMessage(3105, LogLevel.Warning, "Basiq gave no list of banks ({Kind}); the last one serves on")]
    public static partial void InstitutionsStale(this ILogger logger, BasiqFailureKind kind);
}
