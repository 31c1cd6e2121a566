using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Messaging;
using Azure.Messaging.EventGrid;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Notifications;

/// <summary>Publishes notifications to an Event Grid topic, as CloudEvents 1.0.</summary>
internal sealed class EventGridSender(EventGridPublisherClient topic) : INotificationSender
{
    /// <summary>What it is called where subscriptions have their names; none of theirs has a dot.</summary>
    internal const string Name = "azure.event-grid";

    private const string Source = "/basiq-functions";

    public bool Serves(string receiver) => receiver is Name;

    public async Task<SendResult> SendAsync(string receiver, NotificationMessage message, CancellationToken cancellation)
    {
        var data = JsonSerializer.SerializeToUtf8Bytes(message.Data, AppJson.Of<NoticeData>());
        var happened = new CloudEvent(Source, message.Type, new BinaryData(data), "application/json", CloudEventDataFormat.Json)
        {
            Id = message.Id,
            Time = message.Timestamp,
            Subject = $"users/{message.Data.UserId}",
        };
        try
        {
            await topic.SendEventAsync(happened, cancellation);
            return new SendResult(SendResult.Delivered, IsDelivered: true);
        }
        catch (RequestFailedException exception)
        {
            return exception.AsResult();
        }
    }
}

/// <summary>What failures of Azure's clients say of a message.</summary>
internal static class SendFailures
{
    /// <summary>That a message did not arrive, by a status alone: messages of the clients quote answers.</summary>
    public static SendResult AsResult(this RequestFailedException exception) =>
        new(exception.Status > 0 ? string.Create(CultureInfo.InvariantCulture, $"http-{exception.Status}") : "connection-failed", IsDelivered: false);
}
