namespace BasiqFunctions.Client.Models;

/// <content>A refresh that visits a bank answers as the start of a sync does.</content>
public partial class RefreshSpared
{
    /// <summary>The sync that was started; null where no bank was visited, and <see cref="Status"/> says why.</summary>
    public string? SyncId => AdditionalData.TryGetValue("syncId", out var id) ? id as string : null;
}
