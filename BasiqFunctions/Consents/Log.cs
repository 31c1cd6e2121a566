using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3401, LogLevel.Information, "User {UserId} has a consent in force: removed {Count} connections that it does not cover")]
    public static partial void StillConsented(ILogger logger, string userId, int count);

    [LoggerMessage(3402, LogLevel.Information, "Looked after the snapshots of {Users} users: data of {Removed} was removed, Basiq had nothing of {Absent}, {Failed} failed")]
    public static partial void RetentionEnforced(ILogger logger, int users, int removed, int absent, int failed);

    [LoggerMessage(3403, LogLevel.Error, "Whether the data of user {UserId} may be kept could not be settled ({Exception}); the next pass tries again")]
    public static partial void RetentionFailed(ILogger logger, string userId, string exception);

    [LoggerMessage(3404, LogLevel.Error, "Basiq has nothing of {Users} users, which may be the API key's fault: their data stays until POST /api/removals/{PassId}/confirm says that they are gone")]
    public static partial void RemovalsHeld(ILogger logger, int users, string passId);

    [LoggerMessage(3405, LogLevel.Warning, "Whether users of whom Basiq had nothing are gone could not be settled ({Failure}); the next pass tries again")]
    public static partial void AbsencesNotSettled(ILogger logger, string failure);

    [LoggerMessage(3406, LogLevel.Warning, "The removal of users of whom Basiq has nothing was confirmed for pass {PassId}")]
    public static partial void RemovalsConfirmed(ILogger logger, string passId);

    [LoggerMessage(3407, LogLevel.Warning, "Stopped looking after snapshots after {Longest}, with users left: the next pass begins with them")]
    public static partial void RetentionCutShort(ILogger logger, TimeSpan longest);
}
