namespace BasiqFunctions.Data;

/// <summary>
/// The sync has no staged accounts: it never staged any, or it was discarded, or its user removed, while it still ran. Trying
/// again cannot help.
/// </summary>
public sealed class SnapshotDiscardedException(string syncId, Exception? innerException = null)
    : Exception($"Sync '{syncId}' has no staged accounts: it was discarded, or its user was removed.", innerException)
{
    /// <summary>The sync.</summary>
    public string SyncId { get; } = syncId;
}
