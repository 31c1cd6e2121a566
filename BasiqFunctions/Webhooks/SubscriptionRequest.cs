using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Webhooks;

/// <summary>What SetWebhookSubscription is asked for.</summary>
/// <param name="Url">The public address of ReceiveWebhook.</param>
internal sealed record SubscriptionRequest(string? Url)
{
    /// <summary>Takes the fields of a request, not validated.</summary>
    public static SubscriptionRequest From(RequestFields fields) => new(fields.Text("url"));
}
