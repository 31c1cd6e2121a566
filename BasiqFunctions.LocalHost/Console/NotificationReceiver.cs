using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Webhooks;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>
/// What a team's backend does with notifications, in small: verifies the signature of each and answers at once. The last ones stay in memory, for the console.
/// </summary>
internal sealed class NotificationReceiver(NotificationSecrets secrets, TimeProvider clock)
{
    /// <summary>What the console calls the subscription of this host to itself.</summary>
    private const string Subscription = "console";

    private const int Most = 5;

    private readonly ConcurrentQueue<ReceivedNotification> _received = new();

    /// <summary>The last that arrived and are genuine, the newest first.</summary>
    public IReadOnlyList<ReceivedNotification> Received => [.. _received.Reverse()];

    /// <summary>Takes a message: 204, or 401 for one that nobody signed who knows the secret.</summary>
    public async Task<IResult> ReceiveAsync(HttpRequest request)
    {
        var cancellation = request.HttpContext.RequestAborted;
        var body = await JsonBody.ReadRawAsync(request, cancellation);
        var now = clock.GetUtcNow();
        var keys = await secrets.GetKeysAsync(Subscription, cancellation);
        if (WebhookSignature.Read(request.Headers) is not { } signature
            || !signature.IsCurrent(now)
            || !signature.IsOf(body, keys))
            return Problem.Of(StatusCodes.Status401Unauthorized, "unauthorized", "The signature is not one of this subscription's secret.");

        // The same message may come twice.
        if (_received.All(known => known.MessageId != signature.Id))
            _received.Enqueue(new ReceivedNotification(signature.Id, now, JsonElement.Parse(body)));
        while (_received.Count > Most)
            _received.TryDequeue(out _);
        return Results.NoContent();
    }
}
