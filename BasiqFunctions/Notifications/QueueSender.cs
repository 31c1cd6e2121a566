using System.Text.Json;
using System.Text.Json.Serialization;
using Azure;
using Azure.Storage.Queues;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Notifications;

/// <summary>Puts notifications into an Azure Storage queue, which is made when it is first needed.</summary>
internal sealed class QueueSender(QueueClient queue) : INotificationSender
{
    /// <summary>What it is called where subscriptions have their names; none of theirs has a dot.</summary>
    internal const string Name = "azure.queue";

    public bool Serves(string receiver) => receiver is Name;

    public async Task<SendResult> SendAsync(string receiver, NotificationMessage message, CancellationToken cancellation)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new QueuedNotification(message.Id, message.Type, message.Timestamp, message.Data), AppJson.Of<QueuedNotification>());
        try
        {
            try
            {
                await queue.SendMessageAsync(new BinaryData(body), cancellationToken: cancellation);
            }
            catch (RequestFailedException exception) when (exception.Status == 404)
            {
                await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
                await queue.SendMessageAsync(new BinaryData(body), cancellationToken: cancellation);
            }

            return new SendResult(SendResult.Delivered, IsDelivered: true);
        }
        catch (RequestFailedException exception)
        {
            return exception.AsResult();
        }
    }
}

/// <summary>A notification in a queue, where its id has no header.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Type">Its type.</param>
/// <param name="Timestamp">When what it tells of happened.</param>
/// <param name="Data">What it is about.</param>
internal sealed record QueuedNotification(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("timestamp")] DateTimeOffset Timestamp,
    [property: JsonPropertyName("data")] NoticeData Data);
