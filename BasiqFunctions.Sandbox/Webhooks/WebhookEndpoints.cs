using System.Security.Cryptography;
using System.Text.Json;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Webhooks;

/// <summary><c>/notifications/webhooks</c> with its messages, and <c>/notifications/messages/test</c>.</summary>
internal sealed class WebhookEndpoints(SandboxState state, WebhookDelivery delivery, TimeProvider clock)
{
    /// <summary>What a secret begins with, by the scheme of Standard Webhooks; the key in base64 follows.</summary>
    public const string SecretPrefix = "whsec_";

    private const int MaxText = 256;
    private const int MaxMessages = 500;

    private static readonly FilterFields Filters = new(
    [
        ("date", FilterOps.Ordering),
        ("status", FilterOps.Equality),
        ("eventTypeId", FilterOps.Equality),
        ("webhookId", FilterOps.Equality),
        ("eventId", FilterOps.Equality),
    ]);

    private delegate Task WebhookHandler(HttpContext context, WebhookRecord webhook);

    public void Map(ApiRoutes routes)
    {
        routes.Server("POST", "/notifications/webhooks", Create);
        routes.Server("GET", "/notifications/webhooks", List);
        routes.Server("GET", "/notifications/webhooks/{webhookId}", OfWebhook(static (context, w) => Answer(context, 200, w, withSecret: false)));
        routes.Server("POST", "/notifications/webhooks/{webhookId}", OfWebhook(Update));
        routes.Server("DELETE", "/notifications/webhooks/{webhookId}", OfWebhook(Delete));
        routes.Server("GET", "/notifications/webhooks/{webhookId}/messages", OfWebhook(ListMessages));
        routes.Server("GET", "/notifications/webhooks/{webhookId}/messages/{messageId}", OfWebhook(GetMessage));
        routes.Server("POST", "/notifications/messages/test", SendTest);
    }

    private ApiRoutes.ServerHandler OfWebhook(WebhookHandler handler) => (context, application) =>
    {
        var id = (string)context.Request.RouteValues["webhookId"]!;
        if (!Guid.TryParse(id, out _))
        {
            return Answers.Error(
                context,
                400,
                new ApiError("path-parameter-not-valid", "Parameter value is not valid", "Webhook ID value is not valid", "webhookId"));
        }

        return state.Notifications.Webhook(id) is { } webhook && webhook.Application == application
            ? handler(context, webhook)
            : NotFound(context, "Webhook with provided id doesn't exist.");
    };

    private async Task Create(HttpContext context, BasiqApplication application)
    {
        if (await ReadAsync(context) is not { } given)
            return;
        var secret = SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var webhook = new WebhookRecord(
            Guid.NewGuid().ToString(), given.Name, given.Description, given.Url, given.Events, secret, context.BaseUrl(), Disabled: false)
        {
            Application = application,
        };
        await StoreAsync(context, 201, webhook);
    }

    /// <summary>An update keeps the secret, and enables a subscription that had been disabled.</summary>
    private async Task Update(HttpContext context, WebhookRecord webhook)
    {
        if (await ReadAsync(context) is not { } given)
            return;
        var updated = webhook with
        {
            Name = given.Name ?? webhook.Name,
            Description = given.Description ?? webhook.Description,
            Url = given.Url,
            Events = given.Events,
            BaseUrl = context.BaseUrl(),
            Disabled = false,
        };
        await StoreAsync(context, 200, updated);
        delivery.AddAll();
    }

    private Task StoreAsync(HttpContext context, int status, WebhookRecord webhook)
    {
        var notifications = state.Notifications;
        lock (notifications.Gate)
        {
            var others = notifications.Webhooks.Where(w => w.Id != webhook.Id && w.Application == webhook.Application).ToArray();
            if (status == 200 && notifications.Webhook(webhook.Id) is null)
                return NotFound(context, "Webhook with provided id doesn't exist.");
            if (others.Any(w => w.Url == webhook.Url))
            {
                return Answers.Error(
                    context,
                    409,
                    new ApiError("resource-already-exists", "Resource already exists", "Webhook with provided url already exists."));
            }

            if (others.Any(w => EventTypes.All.Any(t => w.Takes(t.Id) && webhook.Takes(t.Id))))
            {
                return Answers.Error(
                    context,
                    400,
                    new ApiError(
                        "event-already-subscribed",
                        "Event already subscribed",
                        "Posted subscribedEvents contains events that are already subscribed to for this application."));
            }

            state.Record(new StateLine { Webhook = webhook });
        }

        return Answer(context, status, webhook, withSecret: true);
    }

    private Task Delete(HttpContext context, WebhookRecord webhook)
    {
        lock (state.Notifications.Gate)
            state.Record(new StateLine { DeletedWebhook = webhook.Id });
        return Answers.NoContent(context);
    }

    private Task List(HttpContext context, BasiqApplication application)
    {
        var webhooks = Array.FindAll(state.Notifications.Webhooks, w => w.Application == application);
        return Answers.Json(context, 200, (webhooks, context.BaseUrl()), static (writer, x) =>
        {
            var (webhooks, baseUrl) = x;
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, webhooks.Length);
            writer.WriteNumber("count"u8, webhooks.Length);
            writer.WriteStartArray("data"u8);
            foreach (var webhook in webhooks)
                Write(writer, webhook, baseUrl, withSecret: false);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/notifications/webhooks");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    /// <summary>Newest first.</summary>
    private Task ListMessages(HttpContext context, WebhookRecord webhook)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        var limit = MaxMessages;
        if (context.Request.Query["limit"] is [{ } text]
            && !(int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxMessages))
        {
            return Answers.BadParameter(context, "limit", "The limit must be from 1 to 500.");
        }

        var days = filter.Days("date");
        var messages = state.Notifications.Messages(webhook.Id)
            .Where(m => filter.Matches("status", m.Status)
                && filter.Matches("eventTypeId", m.TypeId)
                && filter.Matches("webhookId", m.WebhookId)
                && filter.Matches("eventId", m.EventId)
                && (days is not var (from, to) || DateOnly.FromDateTime(m.Created.UtcDateTime).DayNumber is var day && day >= from && day <= to))
            .Reverse()
            .ToArray();
        return Answers.Json(context, 200, (webhook, messages, limit, context.BaseUrl()), static (writer, x) =>
        {
            var (webhook, messages, limit, baseUrl) = x;
            var shown = messages.AsSpan(0, Math.Min(limit, messages.Length));
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, messages.Length);
            writer.WriteNumber("count"u8, shown.Length);
            writer.WriteStartArray("data"u8);
            foreach (var message in shown)
                WriteMessage(writer, message, webhook, baseUrl);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/notifications/webhooks/{webhook.Id}/messages");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private Task GetMessage(HttpContext context, WebhookRecord webhook)
    {
        return state.Notifications.Message((string)context.Request.RouteValues["messageId"]!) is { } message && message.WebhookId == webhook.Id
            ? Answers.Json(context, 200, (message, webhook, context.BaseUrl()), static (writer, x) =>
                WriteMessage(writer, x.message, x.webhook, x.Item3))
            : NotFound(context, "Message not found.");
    }

    /// <summary>Tells of nothing that happened: the event that the message names is not to be found.</summary>
    private async Task SendTest(HttpContext context, BasiqApplication application)
    {
        if (await BodyAsync(context) is not { } body)
            return;
        if (!TryText(body, "eventTypeId", out var typeId) || !TryText(body, "Text", out var text))
        {
            await NotValid(context, "Posted request not valid.");
            return;
        }

        if (!EventTypes.Contains(typeId))
        {
            await NotValid(context, "Posted eventTypeId doesn't exists.");
            return;
        }

        var notifications = state.Notifications;
        WebhookRecord[] subscribed;
        MessageRecord[] messages;
        lock (notifications.Gate)
        {
            var eventId = RandomNumberGenerator.GetHexString(64, lowercase: true);
            subscribed = Array.FindAll(notifications.Webhooks, w => w.Application == application);
            messages =
            [
                .. subscribed.Where(w => w.Takes(typeId!))
                    .Select(w => Events.NewMessage(w.Id, eventId, typeId!, $"/users/{Guid.Empty}", clock.GetUtcNow(), text)),
            ];
            state.Record(new StateLine { Messages = messages });
        }

        if (subscribed.Length == 0)
        {
            await Answers.Error(
                context,
                400,
                new ApiError("no-webhooks-found", "No webhooks found for an app", "At least one webhook should exist in the system."));
            return;
        }

        foreach (var message in messages)
            delivery.Add(message);
        context.Response.StatusCode = 201;
    }

    private static Task NotFound(HttpContext context, string detail) =>
        Answers.Error(context, 404, new ApiError("resource-not-found", "Requested resource is not found", detail));

    private static Task NotValid(HttpContext context, string detail) =>
        Answers.Error(context, 400, new ApiError("invalid-content", "Invalid request content", detail));

    private static async Task<JsonElement?> BodyAsync(HttpContext context)
    {
        if (context.Request.HasJsonContentType())
        {
            try
            {
                using var document = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    return document.RootElement.Clone();
            }
            catch (JsonException)
            {
                // Said below, as of any other body that is no object.
            }
        }

        await NotValid(context, "Posted request not valid.");
        return null;
    }

    private static async Task<Given?> ReadAsync(HttpContext context)
    {
        if (await BodyAsync(context) is not { } body)
            return null;
        if (!TryText(body, "name", out var name)
            || !TryText(body, "description", out var description)
            || !TryText(body, "url", out var url)
            || !(Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            || !TryTexts(body, "subscribedEvents", out var events))
        {
            await NotValid(context, "Posted request not valid.");
            return null;
        }

        if (events.Any(e => !EventTypes.Contains(e)))
        {
            await NotValid(context, "Posted subscribedEvents contains unsupported event types.");
            return null;
        }

        return new Given(name, description, url!, [.. events.Distinct()]);
    }

    /// <summary>False for what is not a text; null for one that is missing.</summary>
    private static bool TryText(JsonElement body, string name, out string? text)
    {
        text = null;
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return true;
        if (value.ValueKind != JsonValueKind.String)
            return false;
        text = value.GetString();
        return text!.Length <= MaxText;
    }

    private static bool TryTexts(JsonElement body, string name, out string[] texts)
    {
        texts = [];
        if (!body.TryGetProperty(name, out var values) || values.ValueKind == JsonValueKind.Null)
            return true;
        if (values.ValueKind != JsonValueKind.Array || values.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            return false;
        texts = [.. values.EnumerateArray().Select(v => v.GetString()!)];
        return true;
    }

    private static Task Answer(HttpContext context, int status, WebhookRecord webhook, bool withSecret) =>
        Answers.Json(context, status, (webhook, context.BaseUrl(), withSecret), static (writer, x) =>
            Write(writer, x.webhook, x.Item2, x.withSecret));

    private static void Write(Utf8JsonWriter writer, WebhookRecord webhook, string baseUrl, bool withSecret)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "webhook"u8);
        writer.WriteString("id"u8, webhook.Id);
        writer.WriteString("name"u8, webhook.Name ?? "");
        writer.WriteString("description"u8, webhook.Description ?? "");
        writer.WriteString("url"u8, webhook.Url);

        // The description has no third status: one that was disabled needs somebody's consent to go on, by an update.
        writer.WriteString("status"u8, webhook.Disabled ? "pending-approval"u8 : "active"u8);
        if (withSecret)
            writer.WriteString("secret"u8, webhook.Secret);
        writer.WriteStartArray("subscribedEvents"u8);
        foreach (var (id, _) in EventTypes.All)
        {
            if (webhook.Takes(id))
                writer.WriteStringValue(id);
        }

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/notifications/webhooks/{webhook.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter writer, MessageRecord message, WebhookRecord webhook, string baseUrl)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, message.Id);
        writer.WriteString("webhookId"u8, message.WebhookId);
        writer.WriteString("event"u8, message.EventId);
        writer.WriteString("eventTypeId"u8, message.TypeId);
        writer.WriteString("eventId"u8, message.EventId);
        writer.WritePropertyName("payload"u8);
        WebhookDelivery.WritePayload(writer, message, webhook.BaseUrl);
        writer.WriteStartArray("attempts"u8);
        foreach (var attempt in message.Attempts.Reverse())
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, attempt.Id);
            writer.WriteString("url"u8, attempt.Url);
            writer.WriteString("response"u8, attempt.Response);
            if (attempt.Status is { } status)
                writer.WriteNumber("responseStatusCode"u8, status);
            writer.WriteString("timestamp"u8, Answers.Timestamp(attempt.At));
            writer.WriteString("status"u8, attempt.Succeeded ? "Success"u8 : "Failed"u8);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/notifications/webhooks/{message.WebhookId}/messages/{message.Id}");
        writer.WriteString("event"u8, $"{baseUrl}/events/{message.EventId}");
        writer.WriteString("webhook"u8, $"{baseUrl}/notifications/webhooks/{message.WebhookId}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private sealed record Given(string? Name, string? Description, string Url, string[] Events);
}
