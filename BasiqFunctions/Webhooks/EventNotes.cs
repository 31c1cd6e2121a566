using System.Text;
using BasiqFunctions.Consents;
using BasiqFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>What events said that is to be told on: connections that need somebody, and refreshes of late.</summary>
public sealed class EventNotes(
    [FromKeyedServices(WebhookOptions.Section)] IRecordTable table, IOptions<WebhookOptions> options, TimeProvider clock) : IKeptOfUser
{
    private const string AttentionPrefix = "attention.";

    /// <summary>The connections of a user that need somebody.</summary>
    public async Task<IReadOnlyList<ConnectionAttention>> ListAttentionAsync(string userId, CancellationToken cancellation) =>
        [
            .. from record in await table.ListAllAsync(PartitionOf(userId), cancellation).ToListAsync(cancellation)
               where record.Row.StartsWith(AttentionPrefix, StringComparison.Ordinal)
               select record.Read(WebhooksJson.Default.ConnectionAttention),
        ];

    /// <inheritdoc />
    public Task RemoveUserAsync(string userId, CancellationToken cancellation) => table.RemovePartitionAsync(PartitionOf(userId), cancellation);

    /// <inheritdoc />
    public async Task RemoveConnectionAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        await ClearAsync(userId, connectionId, cancellation);
        await GiveRefreshBackAsync(userId, connectionId, cancellation);
    }

    internal Task MarkAsync(ConnectionAttention matter, string userId, CancellationToken cancellation) =>
        table.PutAsync(
            new TableRecord(PartitionOf(userId), Attention(matter.ConnectionId), matter.ToContent(WebhooksJson.Default.ConnectionAttention)), cancellation);

    internal Task ClearAsync(string userId, string connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(PartitionOf(userId), Attention(connectionId), cancellation);

    /// <summary>
    /// Whether a connection may be refreshed now, for the sake of an event; it counts as refreshed then. That event may go on with it:
    /// the process may have died before the refresh was made.
    /// </summary>
    internal async Task<bool> TryBeginRefreshAsync(string userId, string connectionId, string eventId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var content = Encoding.UTF8.GetBytes(eventId);
        var found = await table.FindAsync(PartitionOf(userId), Refresh(connectionId), cancellation);
        if (found?.IsLiveAt(now) is true)
            return found.Content.AsSpan().SequenceEqual(content);
        var record = new TableRecord(PartitionOf(userId), Refresh(connectionId), content) { ExpiresAt = now + options.Value.RefreshEvery, ETag = found?.ETag };
        return (found is null ? await table.TryAddAsync(record, cancellation) : await table.TryReplaceAsync(record, cancellation)) is not null;
    }

    internal Task GiveRefreshBackAsync(string userId, string connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(PartitionOf(userId), Refresh(connectionId), cancellation);

    private static string PartitionOf(string userId) => $"user-{userId}";

    private static string Attention(string connectionId) => AttentionPrefix + connectionId;

    private static string Refresh(string connectionId) => $"refresh.{connectionId}";
}
