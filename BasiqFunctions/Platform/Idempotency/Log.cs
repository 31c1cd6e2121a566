using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Idempotency;

internal static partial class Log
{
    [LoggerMessage(3300, LogLevel.Information, "{Endpoint}: answered again from the first request with the same Idempotency-Key")]
    public static partial void Replayed(ILogger logger, string endpoint);

    [LoggerMessage(3301, LogLevel.Warning, "{Endpoint}: the instance that ran the first request with an Idempotency-Key did not finish it; it runs again, since it may")]
    public static partial void TakenOver(ILogger logger, string endpoint);

    [LoggerMessage(3302, LogLevel.Warning, "{Endpoint}: nobody can tell whether the first request with an Idempotency-Key was carried out; it is not sent again")]
    public static partial void OutcomeUnknown(ILogger logger, string endpoint);

    [LoggerMessage(3303, LogLevel.Error, "{Endpoint}: the outcome of a request with an Idempotency-Key could not be kept ({Exception}); it counts as unfinished")]
    public static partial void NotKept(ILogger logger, string endpoint, string exception);

    [LoggerMessage(3304, LogLevel.Warning, "{Endpoint}: a kept answer could not be read any more; it is made again")]
    public static partial void Unreadable(ILogger logger, string endpoint);
}
