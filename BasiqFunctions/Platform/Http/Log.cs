using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Http;

internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Warning, "{Function} answers {Status} {Code}: {Failure}")]
    public static partial void UpstreamFailed(this ILogger logger, string function, int status, string code, string failure);

    [LoggerMessage(3001, LogLevel.Error, "{Function} answers 503: {Name} is unavailable ({Code}). Such answers since the last message: {Count}")]
    public static partial void DependencyFailed(this ILogger logger, string function, string name, string code, int count);

    [LoggerMessage(3002, LogLevel.Error, "{Function} answers 500: {Exception} at {StackTrace}")]
    public static partial void Unexpected(this ILogger logger, string function, string? exception, string? stackTrace);

    [LoggerMessage(3003, LogLevel.Error, "{Function} answers 504: not finished within {Deadline}")]
    public static partial void Late(this ILogger logger, string function, TimeSpan deadline);
}
