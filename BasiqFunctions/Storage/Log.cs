using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Storage;

internal static partial class Log
{
    [LoggerMessage(601, LogLevel.Error, "This machine's clock is {Seconds} seconds ahead of Basiq's: nothing is removed because of its age until they agree")]
    public static partial void ClockDoubted(ILogger logger, long seconds);

    [LoggerMessage(602, LogLevel.Error, "A record of the table of {Name} is damaged and is not used: restore the table, or remove the record; {Count} such reads since this was last said")]
    public static partial void Damaged(ILogger logger, string name, int count);
}
