namespace BasiqFunctions.Platform.Notices;

/// <summary>What the team's backend is told of: part of the contract with it.</summary>
internal static class NoticeTypes
{
    /// <summary>A sync ended, however it did.</summary>
    public const string SyncEnded = "sync.ended";

    /// <summary>The change feed has news of a user.</summary>
    public const string DataChanged = "data.changed";

    /// <summary>A connection needs the person.</summary>
    public const string ConnectionAttention = "connection.attention";

    /// <summary>A connection that needed the person works again.</summary>
    public const string ConnectionRecovered = "connection.recovered";

    /// <summary>A consent ends in 30, 7 or 1 days.</summary>
    public const string ConsentEnding = "consent.ending";

    /// <summary>A consent has ended.</summary>
    public const string ConsentEnded = "consent.ended";

    /// <summary>Data was removed; the receipt says which.</summary>
    public const string DataRemoved = "data.removed";

    /// <summary>A report can be read.</summary>
    public const string ReportReady = "report.ready";

    /// <summary>A report could not be had.</summary>
    public const string ReportFailed = "report.failed";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        SyncEnded, DataChanged, ConnectionAttention, ConnectionRecovered, ConsentEnding, ConsentEnded, DataRemoved, ReportReady, ReportFailed,
    ];
}
