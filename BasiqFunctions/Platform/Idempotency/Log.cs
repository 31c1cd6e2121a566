using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Idempotency;

internal static partial class Log
{
    [LoggerMessage(3300, LogLevel.Information, "{Endpoint}: replayed the answer to the first request with this Idempotency-Key")]
    public static partial void Replayed(ILogger logger, string endpoint);

    [LoggerMessage(3301, LogLevel.Warning, "{Endpoint}: the instance that ran the first request with this Idempotency-Key died; running it again, which is safe")]
    public static partial void TakenOver(ILogger logger, string endpoint);

    [LoggerMessage(3302, LogLevel.Warning, "{Endpoint}: unknown whether the first request with this Idempotency-Key was carried out; not sending it again")]
    public static partial void OutcomeUnknown(ILogger logger, string endpoint);

    [LoggerMessage(3303, LogLevel.Error, "{Endpoint}: could not store the outcome of a request with an Idempotency-Key ({Exception}); it counts as unfinished")]
    public static partial void NotKept(ILogger logger, string endpoint, string exception);

    [LoggerMessage(3304, LogLevel.Warning, "{Endpoint}: cannot read a stored answer; rebuilding it from Basiq")]
    public static partial void Unreadable(ILogger logger, string endpoint);
}
