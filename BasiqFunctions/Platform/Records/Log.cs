using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Records;

internal static partial class Log
{
    [LoggerMessage(601, LogLevel.Error, "Clock is {Seconds} s ahead of Basiq's; no data is removed for its age until they agree")]
    public static partial void ClockAhead(ILogger logger, long seconds);

    [LoggerMessage(602, LogLevel.Error, "Damaged record in table {Name}, ignored. Restore the table or delete the record. Reads affected since the last message: {Count}")]
    public static partial void Damaged(ILogger logger, string name, int count);
}
