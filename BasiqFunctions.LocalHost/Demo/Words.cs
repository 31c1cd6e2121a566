using BasiqFunctions.Sync;

namespace BasiqFunctions.LocalHost.Demo;

/// <summary>The states and actions of a sync, in words for a person.</summary>
internal static class Words
{
    public static string Of(NextAction action) => action switch
    {
        NextAction.Reconnect => "connect the bank again with the right login; an account that is locked must be unlocked at the bank first.",
        NextAction.ActAtBank => "log in at the bank's own site, clear what it asks for, then refresh the connection.",
        NextAction.WaitForBank => "wait until the bank is back; the app watches it, and connection.recovered tells.",
        NextAction.RetryLater => "the bank is not available; wait ten minutes, then refresh the connection.",
        _ => "ask Basiq's support, with the code and detail above.",
    };

    public static string Of(JobState state) => state switch
    {
        JobState.Failed => "failed",
        JobState.TimedOut => "did not end in time",
        JobState.Success => "succeeded",
        JobState.InProgress => "in progress",
        _ => "pending",
    };

    public static string Of(SyncState state) => state switch
    {
        SyncState.WaitingForBank => "waiting for the bank",
        SyncState.Fetching => "fetching accounts",
        SyncState.Completed => "completed",
        SyncState.Partial => "partly completed",
        SyncState.Failed => "failed",
        _ => "cancelled",
    };
}
