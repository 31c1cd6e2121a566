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
    /// <summary>The connections of a user that need somebody.</summary>
    public async Task<IReadOnlyList<ConnectionAttention>> ListAttentionAsync(string userId, CancellationToken cancellation) =>
        await ListAsync(Attention(userId), record => record.Read(WebhooksJson.Default.ConnectionAttention), cancellation);

    /// <inheritdoc />
    public async Task RemoveUserAsync(string userId, CancellationToken cancellation)
    {
        foreach (var partition in new[] { Attention(userId), Refreshes(userId) })
            await table.RemovePartitionAsync(partition, cancellation);
    }

    /// <inheritdoc />
    public async Task RemoveConnectionAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        await table.RemoveAsync(Attention(userId), connectionId, cancellation);
        await table.RemoveAsync(Refreshes(userId), connectionId, cancellation);
    }

    internal Task MarkAsync(ConnectionAttention matter, string userId, CancellationToken cancellation) =>
        table.PutAsync(
            new TableRecord(Attention(userId), matter.ConnectionId, matter.ToContent(WebhooksJson.Default.ConnectionAttention)), cancellation);

    internal Task ClearAsync(string userId, string connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(Attention(userId), connectionId, cancellation);

    /// <summary>
    /// Whether a connection may be refreshed now, for the sake of an event; it counts as refreshed then. That event may go on with it:
    /// the process may have died before the refresh was made.
    /// </summary>
    internal async Task<bool> TryBeginRefreshAsync(string userId, string connectionId, string eventId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var content = Encoding.UTF8.GetBytes(eventId);
        var found = await table.FindAsync(Refreshes(userId), connectionId, cancellation);
        if (found?.IsLiveAt(now) is true)
            return found.Content.AsSpan().SequenceEqual(content);
        var record = new TableRecord(Refreshes(userId), connectionId, content) { ExpiresAt = now + options.Value.RefreshEvery, ETag = found?.ETag };
        return (found is null ? await table.TryAddAsync(record, cancellation) : await table.TryReplaceAsync(record, cancellation)) is not null;
    }

    internal Task GiveRefreshBackAsync(string userId, string connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(Refreshes(userId), connectionId, cancellation);

    private static string Attention(string userId) => $"attention-{userId}";

    private static string Refreshes(string userId) => $"refresh-{userId}";

    private async Task<IReadOnlyList<T>> ListAsync<T>(string partition, Func<TableRecord, T> read, CancellationToken cancellation)
    {
        List<T> notes = [];
        await foreach (var record in table.ListAllAsync(partition, cancellation))
        {
            if (record.IsLiveAt(clock.GetUtcNow()))
                notes.Add(read(record));
        }

        return notes;
    }
}
