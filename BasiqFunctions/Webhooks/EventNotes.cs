using System.Text;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Webhooks;

/// <summary>News of connections that are being gathered, in one partition with which connections need somebody.</summary>
public sealed class EventNotes(
    [FromKeyedServices(WebhookOptions.Section)] IRecordTable table, ConnectionAttentions attentions, TimeProvider clock) : IUserRecords
{
    /// <inheritdoc />
    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => table.RemovePartitionAsync(PartitionOf(userId), cancellation);

    /// <inheritdoc />
    public async Task RemoveConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation)
    {
        foreach (var isFull in (bool[])[false, true])
            await table.RemoveAsync(PartitionOf(userId), News(connectionId, isFull), cancellation);
        await attentions.RemoveAsync(userId, connectionId, cancellation);
    }

    /// <summary>
    /// Where news of a connection belong: to those that are being gathered, or else to ones that begin with this event. It may begin them
    /// again: the process may have died before their sync was started. What gathers the whole history takes all news in, and other news
    /// do not take in what needs the whole.
    /// </summary>
    internal async Task<GatheredNews> GatherAsync(
        UserId userId, ConnectionId connectionId, string eventId, bool isFull, TimeSpan gatherFor, CancellationToken cancellation)
    {
        while (true)
        {
            var now = clock.GetUtcNow();
            var full = await table.FindAsync(PartitionOf(userId), News(connectionId, isFull: true), cancellation);
            var found = isFull || full?.IsLiveAt(now) is true ? full : await table.FindAsync(PartitionOf(userId), News(connectionId, isFull: false), cancellation);
            if (found?.IsLiveAt(now) is true || found?.Content.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(eventId)) is true)
                return new GatheredNews(Encoding.UTF8.GetString(found.Content), found.ExpiresAt!.Value, found == full);
            var news = new GatheredNews(eventId, now + gatherFor, isFull);
            var record = new TableRecord(PartitionOf(userId), News(connectionId, isFull), Encoding.UTF8.GetBytes(eventId)) { ExpiresAt = news.Until, ETag = found?.ETag };
            if ((found is null ? await table.TryAddAsync(record, cancellation) : await table.TryReplaceAsync(record, cancellation)) is not null)
                return news;
        }
    }

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    /// <summary>No id has a dot.</summary>
    private static string News(ConnectionId connectionId, bool isFull) => isFull ? $"news.{connectionId}.full" : $"news.{connectionId}";
}
