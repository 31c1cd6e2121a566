using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Storage;

internal static partial class Log
{
    [LoggerMessage(600, LogLevel.Information, "Removed {Count} expired records of the table of {Name}")]
    public static partial void Expired(ILogger logger, int count, string name);
}
