using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Reports;

internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Information, "Report {ReportId} of user {UserId} asked for, of {Users} users.")]
    public static partial void ReportAsked(ILogger logger, ReportId reportId, UserId userId, int users);

    [LoggerMessage(4002, LogLevel.Information, "Report {ReportId} of user {UserId} is kept.")]
    public static partial void ReportReady(ILogger logger, ReportId reportId, UserId userId);

    [LoggerMessage(4003, LogLevel.Warning, "Report {ReportId} of user {UserId} failed: {Code}.")]
    public static partial void ReportFailed(ILogger logger, ReportId reportId, UserId userId, string code);

    [LoggerMessage(4004, LogLevel.Information, "Report {ReportId} of user {UserId}: the answer to its creation was lost, and Basiq lists it.")]
    public static partial void ReportFound(ILogger logger, ReportId reportId, UserId userId);

    [LoggerMessage(4005, LogLevel.Error, "Report {ReportId} is damaged: its answer was broken off.")]
    public static partial void BrokenOff(ILogger logger, ReportId reportId);

    [LoggerMessage(4006, LogLevel.Error, "Report {ReportId} is damaged, or its key is gone: it was not answered.")]
    public static partial void ReportDamaged(ILogger logger, ReportId reportId);
}
