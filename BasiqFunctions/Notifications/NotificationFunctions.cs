using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Notifications;

/// <summary>The HTTP functions of notifications.</summary>
public sealed class NotificationFunctions(NotificationSubscriptions subscriptions, DeliveryQueues queues, Senders senders, TimeProvider clock)
{
    private const string NameIs = "Which subscription, by the team's name for it; default when it is left out.";

    private const int MaxLimit = 500;

    private static readonly NotificationSubscriptionRequestValidator Validator = new();

    /// <summary>Makes a subscription, or changes it: 200. The secret is answered when it is made, and never again.</summary>
    [Function("SetNotificationSubscription")]
    [Parameter("name", NameIs)]
    [Takes(typeof(NotificationSubscriptionRequest), Validator = typeof(NotificationSubscriptionRequestValidator), Required = ["url"])]
    [Answers(StatusCodes.Status200OK, typeof(NotificationSubscription))]
    [FailsWith(ProblemCodes.TooManySubscriptions)]
    public async Task<IResult> SetNotificationSubscription(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "notifications/subscription")] HttpRequest request, CancellationToken cancellation)
    {
        var name = NameOf(request);
        return JsonAnswer.Ok(await subscriptions.SetAsync(name, await JsonBody.ReadAsync(request, Validator, cancellation), cancellation));
    }

    /// <summary>Shows a subscription: 200.</summary>
    [Function("GetNotificationSubscription")]
    [Parameter("name", NameIs)]
    [Answers(StatusCodes.Status200OK, typeof(NotificationSubscription))]
    [FailsWith(ProblemCodes.SubscriptionNotFound)]
    public async Task<IResult> GetNotificationSubscription(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "notifications/subscription")] HttpRequest request, CancellationToken cancellation) =>
        await subscriptions.FindAsync(NameOf(request), cancellation) is { } found ? JsonAnswer.Ok(found) : NoSubscription();

    /// <summary>Lists the subscriptions: 200.</summary>
    [Function("ListNotificationSubscriptions")]
    [Answers(StatusCodes.Status200OK, typeof(NotificationSubscriptionList))]
    public async Task<IResult> ListNotificationSubscriptions(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "notifications/subscriptions")] HttpRequest request, CancellationToken cancellation) =>
        JsonAnswer.Ok(new NotificationSubscriptionList(await subscriptions.ListAsync(cancellation)));

    /// <summary>Deletes a subscription, and what waits to be delivered to it: 204.</summary>
    [Function("DeleteNotificationSubscription")]
    [Parameter("name", NameIs)]
    [Answers(StatusCodes.Status204NoContent)]
    [FailsWith(ProblemCodes.SubscriptionNotFound)]
    public async Task<IResult> DeleteNotificationSubscription(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "notifications/subscription")] HttpRequest request, CancellationToken cancellation) =>
        await subscriptions.RemoveAsync(NameOf(request), cancellation) ? Results.NoContent() : NoSubscription();

    /// <summary>Sends a message of the type notification.test now, once, and says what came of it: 200.</summary>
    [Function("SendTestNotification")]
    [Parameter("name", NameIs)]
    [Answers(StatusCodes.Status200OK, typeof(TestResult))]
    [FailsWith(ProblemCodes.SubscriptionNotFound)]
    public async Task<IResult> SendTestNotification(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "notifications/test")] HttpRequest request, CancellationToken cancellation)
    {
        var name = NameOf(request);
        if (await subscriptions.FindAsync(name, cancellation) is null)
            return NoSubscription();
        var now = clock.GetUtcNow();
        var message = new NotificationMessage(Notice.IdFor(now, Guid.NewGuid()), "notification.test", now, new NoticeData(new("test")));
        var result = await senders.SendAsync(name, message, cancellation);
        return JsonAnswer.Ok(new TestResult(message.Id, result.IsDelivered, result.Code));
    }

    /// <summary>Lists the deliveries of the last days to a subscription, the newest first: 200.</summary>
    [Function("ListNotificationDeliveries")]
    [Parameter("name", NameIs)]
    [Parameter("status", "Only those that stand so.", Type = typeof(DeliveryStatus))]
    [Parameter("cursor", "The last page's nextCursor.")]
    [Parameter("limit", "The most deliveries in a page; 100 when it is left out.", Type = typeof(int), Maximum = MaxLimit)]
    [Answers(StatusCodes.Status200OK, typeof(DeliveryList))]
    public async Task<IResult> ListNotificationDeliveries(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "notifications/deliveries")] HttpRequest request, CancellationToken cancellation)
    {
        var name = NameOf(request, "status", "cursor", "limit", "name");
        var errors = new FieldErrors();
        var limit = QueryParameters.Limit(request.Query, MaxLimit, errors);
        var cursor = QueryParameters.Id(request.Query, "cursor", errors, row => new Cursor(row));
        DeliveryStatus? status = null;
        if (QueryParameters.Value(request.Query, "status") is { } text)
        {
            status = Enum.GetValues<DeliveryStatus>().Cast<DeliveryStatus?>()
                .FirstOrDefault(known => JsonNamingPolicy.KebabCaseLower.ConvertName($"{known}") == text);
            if (status is null)
                errors.Add("status", "must be pending, delivered, failed or folded.");
        }

        return errors.Count > 0
            ? Problem.InvalidInput(errors)
            : JsonAnswer.Ok(await queues.ListAsync(name, status, cursor, limit, cancellation));
    }

    /// <summary>Has a message delivered once more; one that waits is tried now: 202.</summary>
    [Function("RetryNotificationDelivery")]
    [Parameter("name", NameIs)]
    [Answers(StatusCodes.Status202Accepted)]
    [FailsWith(ProblemCodes.SubscriptionNotFound, ProblemCodes.DeliveryNotFound)]
    public async Task<IResult> RetryNotificationDelivery(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "notifications/deliveries/{messageId}/retry")] HttpRequest request,
        string messageId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var name = NameOf(request);
        if (await subscriptions.FindAsync(name, cancellation) is null)
            return NoSubscription();
        return await queues.RetryAsync(client, name, messageId, cancellation)
            ? Results.StatusCode(StatusCodes.Status202Accepted)
            : Problem.NotFound(ProblemCodes.DeliveryNotFound, "No such message was sent to this subscription in the last days.");
    }

    private static string NameOf(HttpRequest request, params ReadOnlySpan<string> known)
    {
        var errors = new FieldErrors();
        QueryParameters.Check(request.Query, errors, known.IsEmpty ? ["name"] : known);
        var name = QueryParameters.Id(request.Query, "name", errors);
        return errors.Count == 0 ? name ?? NotificationSubscription.DefaultName : throw new ProblemException(Problem.InvalidInput(errors));
    }

    private static ProblemResult NoSubscription() =>
        Problem.NotFound(ProblemCodes.SubscriptionNotFound, "There is no such subscription. Create one with PUT.");
}

/// <summary>What came of a message that was sent to try a receiver.</summary>
/// <param name="MessageId">The message.</param>
/// <param name="Delivered">Whether it arrived.</param>
/// <param name="Result">The receiver's HTTP status as <c>http-503</c>, or what there was instead.</param>
public sealed record TestResult(
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("delivered")] bool Delivered,
    [property: JsonPropertyName("result")] string Result);
