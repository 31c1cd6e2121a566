using BasiqFunctions.Basiq;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Connections;

internal static partial class Log
{
    [LoggerMessage(3105, LogLevel.Warning, "Basiq gave no list of banks ({Kind}); the last one serves on")]
    public static partial void InstitutionsStale(this ILogger logger, BasiqFailureKind kind);
}
