using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3401, LogLevel.Information, "User {UserId} has a consent in force: removed {Count} connections that it does not cover")]
    public static partial void StillConsented(ILogger logger, string userId, int count);

    [LoggerMessage(3404, LogLevel.Error, "Basiq has nothing of {Users} users, which may be the API key's fault: their data stays until POST /api/removals/{PassId}/confirm says that they are gone")]
    public static partial void RemovalsHeld(ILogger logger, int users, string passId);

    [LoggerMessage(3405, LogLevel.Warning, "Whether users of whom Basiq had nothing are gone could not be settled ({Failure}); the next day's pass tries again")]
    public static partial void AbsencesNotSettled(ILogger logger, string failure);

    [LoggerMessage(3406, LogLevel.Warning, "The removal of users of whom Basiq has nothing was confirmed for pass {PassId}")]
    public static partial void RemovalsConfirmed(ILogger logger, string passId);
}
