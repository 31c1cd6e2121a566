using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Health;

internal static partial class Log
{
    [LoggerMessage(3200, LogLevel.Warning, "Health check {Check} is unhealthy ({Code}); failures since the last message: {Count}")]
    public static partial void CheckFailed(this ILogger logger, string check, string code, int count);
}
