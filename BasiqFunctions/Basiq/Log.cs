using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Basiq;

/// <summary>What the Basiq client logs: endpoint templates, statuses and durations, never a URL, header or body.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Debug, "Basiq {Endpoint}, attempt {Attempt}: {StatusCode} in {Milliseconds:F0} ms.")]
    public static partial void Answered(ILogger logger, string endpoint, int attempt, int statusCode, double milliseconds);

    [LoggerMessage(1002, LogLevel.Warning, "Basiq {Endpoint}, attempt {Attempt}: no answer, {Reason}, after {Milliseconds:F0} ms.")]
    public static partial void Unanswered(ILogger logger, string endpoint, int attempt, string reason, double milliseconds);

    [LoggerMessage(EventId = 1003, Message = "Basiq {Endpoint} failed: {Kind} ({Code}), status {StatusCode}, correlation id {CorrelationId}.")]
    public static partial void Failed(
        ILogger logger, LogLevel level, string? endpoint, BasiqFailureKind kind, string code, int? statusCode, string? correlationId);

    [LoggerMessage(1004, LogLevel.Information, "Basiq {Endpoint}: already gone, so an earlier attempt of unknown outcome succeeded.")]
    public static partial void DeletedBefore(ILogger logger, string endpoint);

    [LoggerMessage(1005, LogLevel.Warning, "Basiq {Endpoint} not sent: {Code}. Calls held back since the last message: {Calls}.")]
    public static partial void Limited(ILogger logger, string? endpoint, string code, int calls);
}
