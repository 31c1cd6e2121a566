using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>The HTTP functions of webhooks.</summary>
public sealed class WebhookFunctions(WebhookReceiver receiver, Subscriptions subscriptions)
{
    private static readonly SubscriptionRequestValidator Validator = new();

    /// <summary>
    /// Takes a message of Basiq's, signed by the Standard Webhooks scheme; one that has come before is taken again, to no effect: 204.
    /// </summary>
    [Function("ReceiveWebhook")]
    [Parameter("webhook-id", "Names the message, the same each time that it is sent.", IsHeader = true, Required = true)]
    [Parameter("webhook-timestamp", "When it was sent, in Unix seconds; five minutes off at most.", IsHeader = true, Required = true)]
    [Parameter("webhook-signature", "Signatures, each as v1,base64, with spaces between them.", IsHeader = true, Required = true)]
    [Takes(typeof(object), IsOpen = true)]
    [Answers(StatusCodes.Status204NoContent)]
    [FailsWith(ProblemCodes.WebhookRefused, ProblemCodes.BodyTooLarge, ProblemCodes.BodyTimeout)]
    public async Task<IResult> ReceiveWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "webhooks/basiq")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await receiver.TakeAsync(
            client, request.Headers, await JsonBody.ReadRawAsync(request, cancellation), cancellation)
                ? Results.NoContent()
                : Problem.Of(
                    StatusCodes.Status401Unauthorized, ProblemCodes.WebhookRefused, "This is not a current message that Basiq has signed.");

    /// <summary>Has Basiq send webhooks to a URL, whether or not it did before: 200 and the subscription.</summary>
    [Function("SetWebhookSubscription")]
    [Takes(typeof(SubscriptionRequest), Validator = typeof(SubscriptionRequestValidator), Required = ["url"])]
    [Answers(StatusCodes.Status200OK, typeof(SubscriptionAnswer))]
    [FailsWith(ProblemCodes.EventAlreadySubscribed, ProblemCodes.SubscriptionExists, ProblemCodes.SubscriptionNotFound, AsksBasiq = true)]
    public async Task<IResult> SetWebhookSubscription(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "webhooks/basiq/subscription")] HttpRequest request,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation);
        return Answer(await subscriptions.SetAsync(asked.Url!, cancellation));
    }

    /// <summary>Shows the subscription, how the last messages were delivered, and what came of each: 200.</summary>
    [Function("GetWebhookSubscription")]
    [Answers(StatusCodes.Status200OK, typeof(SubscriptionAnswer))]
    [FailsWith(ProblemCodes.SubscriptionNotFound, AsksBasiq = true)]
    public async Task<IResult> GetWebhookSubscription(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "webhooks/basiq/subscription")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await subscriptions.FindAsync(client, cancellation) is { } found
            ? Answer(found)
            : Problem.NotFound(ProblemCodes.SubscriptionNotFound, "There is no subscription. Create one with PUT.");

    private static JsonAnswer<SubscriptionAnswer> Answer(SubscriptionAnswer subscription) =>
        new(StatusCodes.Status200OK, subscription, AppJson.Of<SubscriptionAnswer>());
}
