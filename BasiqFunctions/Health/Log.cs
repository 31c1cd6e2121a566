using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Health;

internal static partial class Log
{
    [LoggerMessage(3200, LogLevel.Warning, "Health: {Check} is unhealthy ({Code}); found so {Count} times since this was last said")]
    public static partial void CheckFailed(this ILogger logger, string check, string code, int count);
}
