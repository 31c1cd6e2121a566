using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3401, LogLevel.Information, "Removed {Count} connections of user {UserId} that no consent in force covers")]
    public static partial void StillConsented(ILogger logger, string userId, int count);

    [LoggerMessage(3404, LogLevel.Error, "Removals held: Basiq does not know {Users} users, which may mean a wrong API key. Their data stays until POST /api/removals/{PassId}/confirm")]
    public static partial void RemovalsHeld(ILogger logger, int users, string passId);

    [LoggerMessage(3405, LogLevel.Warning, "Check of users unknown to Basiq failed ({Failure}); the next daily pass will retry")]
    public static partial void AbsencesNotSettled(ILogger logger, string failure);

    [LoggerMessage(3406, LogLevel.Warning, "Held removals confirmed for pass {PassId}")]
    public static partial void RemovalsConfirmed(ILogger logger, string passId);
}
