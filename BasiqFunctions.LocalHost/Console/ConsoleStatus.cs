using BasiqFunctions.Sync;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>What the console shows of this host beside what the API tells.</summary>
/// <param name="Now">The host's clock.</param>
/// <param name="Token">The server token's times; null before the first.</param>
/// <param name="Timers">The timer functions.</param>
/// <param name="Syncs">The newest syncs, newest first.</param>
/// <param name="TimeZone">Where banks' days are, as <c>Snapshots:TimeZone</c> has it.</param>
/// <param name="IsSimulated">Whether the sandbox stands in for Basiq.</param>
internal sealed record ConsoleStatus(
    DateTimeOffset Now,
    TokenTimes? Token,
    IReadOnlyList<TimerTimes> Timers,
    IReadOnlyList<RecentSync> Syncs,
    string TimeZone,
    bool IsSimulated);

/// <summary>When the server token was minted and when it expires; never the token.</summary>
internal sealed record TokenTimes(DateTimeOffset MintedAt, DateTimeOffset ExpiresAt);

/// <summary>When a timer function last ran, null before its first time, and when it runs next.</summary>
internal sealed record TimerTimes(string Name, DateTimeOffset? LastRunAt, DateTimeOffset? NextRunAt);

/// <summary>A sync in the list of the newest.</summary>
internal sealed record RecentSync(
    string SyncId, string UserId, SyncState Status, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt, int Accounts, long Transactions);
