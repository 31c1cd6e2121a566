using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Webhooks;

/// <summary>The kinds of events, as <c>GET /events/types</c> of Basiq's OpenAPI lists them.</summary>
internal static class EventTypes
{
    public const string AccountUpdated = "account.updated";
    public const string ConnectionActivated = "connection.activated";
    public const string ConnectionCreated = "connection.created";
    public const string ConnectionDeleted = "connection.deleted";
    public const string ConnectionInvalidated = "connection.invalidated";
    public const string ConsentCreated = "consent.created";
    public const string ConsentExpired = "consent.expired";
    public const string ConsentReminder = "consent.reminder";
    public const string ConsentRevoked = "consent.revoked";
    public const string ConsentUpdated = "consent.updated";
    public const string ConsentWarning = "consent.warning";
    public const string TransactionsUpdated = "transactions.updated";
    public const string UserCreated = "user.created";
    public const string UserDeleted = "user.deleted";
    public const string UserUpdated = "user.updated";

    public static readonly (string Id, string When)[] All =
    [
        (AccountUpdated, "when the accounts of a connection were retrieved anew"),
        (ConnectionActivated, "when a connection becomes active"),
        (ConnectionCreated, "when a connection is made"),
        (ConnectionDeleted, "when a connection is deleted"),
        (ConnectionInvalidated, "when a connection stops being valid"),
        (ConsentCreated, "when a consent is given"),
        (ConsentExpired, "when a consent has come to its end"),
        (ConsentReminder, "when a consent has been active for 90 days since it was last updated"),
        (ConsentRevoked, "when a consent is revoked"),
        (ConsentUpdated, "when a consent is updated"),
        (ConsentWarning, "when a consent is about to expire"),
        (TransactionsUpdated, "when the transactions of a connection were retrieved anew"),
        (UserCreated, "when a user is created"),
        (UserDeleted, "when a user is deleted"),
        (UserUpdated, "when a user is updated"),
    ];

    public static bool Contains(string? id) => All.Any(t => t.Id == id);
}

/// <summary>Raises events: each is kept, and told to the subscriptions that take its kind.</summary>
internal sealed class Events(SandboxState state, LiveOptions options, WebhookDelivery delivery, TimeProvider clock)
{
    /// <summary>"This endpoint only returns events that happened in the last 7 days": Basiq's OpenAPI, <c>GET /events</c>.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private int _raised;

    public void Raise(string typeId, UserRecord user) =>
        Raise(NewId(), typeId, clock.GetUtcNow(), user.Id, $"/users/{user.Id}", null, null, applicationOfUser: user.Application);

    public void Raise(string typeId, ConsentRecord consent, string status) =>
        Raise(NewId(), typeId, clock.GetUtcNow(), consent.UserId, PathOf(consent), status, null);

    public void Raise(string typeId, ConnectionRecord connection, string status) =>
        Raise(NewId(), typeId, clock.GetUtcNow(), connection.UserId, PathOf(connection), status, connection.Id);

    /// <summary>What the clock brought about at a moment that may be past; a second time it is nothing.</summary>
    public void RaiseOnce(string typeId, DateTimeOffset at, ConsentRecord consent, string status) =>
        Raise(IdOf(typeId, consent.Id, at), typeId, at, consent.UserId, PathOf(consent), status, null);

    /// <inheritdoc cref="RaiseOnce(string, DateTimeOffset, ConsentRecord, string)"/>
    public void RaiseOnce(string typeId, DateTimeOffset at, ConnectionRecord connection, string status) =>
        Raise(IdOf(typeId, connection.Id, at), typeId, at, connection.UserId, PathOf(connection), status, connection.Id);

    /// <summary>What a job brought about at a moment that may be past: an account that it retrieved anew. A second time it is nothing.</summary>
    public void RaiseOnce(DateTimeOffset at, AccountView account) =>
        Raise(
            IdOf(EventTypes.AccountUpdated, account.Connection.Id, at),
            EventTypes.AccountUpdated, at, account.Connection.UserId,
            $"/users/{account.Connection.UserId}/accounts/{account.Id}", null, account.Connection.Id);

    /// <summary>The same of so many transactions of a connection.</summary>
    public void RaiseOnce(DateTimeOffset at, ConnectionRecord connection, long count) =>
        Raise(
            IdOf(EventTypes.TransactionsUpdated, connection.Id, at),
            EventTypes.TransactionsUpdated, at, connection.UserId,
            $"/users/{connection.UserId}/transactions", null, connection.Id, count);

    private static string PathOf(ConsentRecord consent) => $"/users/{consent.UserId}/consents/{consent.Id}";

    private static string PathOf(ConnectionRecord connection) => $"/users/{connection.UserId}/connections/{connection.Id}";

    private static string NewId() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static string IdOf(string typeId, string id, DateTimeOffset at) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{typeId}\n{id}\n{at:O}")));

    private void Raise(
        string id,
        string typeId,
        DateTimeOffset at,
        string userId,
        string path,
        string? status,
        string? connectionId,
        long? count = null,
        BasiqApplication? applicationOfUser = null)
    {
        var application = applicationOfUser ?? state.User(userId)?.Record.Application ?? BasiqApplication.First;
        var now = clock.GetUtcNow();
        if (at <= now - Kept)
            return;
        var notifications = state.Notifications;
        const int AFew = 200;
        if (Interlocked.Increment(ref _raised) % AFew == 0)
            notifications.ForgetBefore(now - Kept);
        MessageRecord[] messages;
        lock (notifications.Gate)
        {
            if (notifications.Event(id) is not null)
                return;
            messages = options.Current.Webhooks
                ? [.. notifications.Webhooks.Where(w => w.Application == application && w.Takes(typeId)).Select(w => NewMessage(w.Id, id, typeId, path, now))]
                : [];
            state.Record(new StateLine
            {
                Event = new EventRecord(id, at, typeId, userId, path, status, connectionId, count) { Application = application },
                Messages = messages.Length > 0 ? messages : null,
            });
        }

        foreach (var message in messages)
            delivery.Add(message);
    }

    public static MessageRecord NewMessage(
        string webhookId, string eventId, string typeId, string path, DateTimeOffset now, string? text = null) =>
        new(Guid.NewGuid().ToString(), webhookId, eventId, typeId, path, text, now, now, []);
}

/// <summary><c>/events</c> and <c>/events/types</c>.</summary>
internal sealed class EventEndpoints(SandboxState state, TimeProvider clock)
{
    private static readonly FilterFields Filters = new(
    [
        ("user.id", FilterOps.Equality),
        ("event.entity", FilterOps.Equality),
        ("event.type", FilterOps.Equality),
    ]);

    public void Map(ApiRoutes routes)
    {
        routes.Server("GET", "/events", List);
        routes.Server("GET", "/events/{id}", Get);
        routes.Server("GET", "/events/types", ListTypes);
        routes.Server("GET", "/events/types/{id}", GetType);
    }

    /// <summary>Newest first. A type is named as the answer names it (<c>revoked</c>), or whole (<c>consent.revoked</c>).</summary>
    private Task List(HttpContext context, BasiqApplication application)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        var oldest = clock.GetUtcNow() - Events.Kept;
        var events = state.Notifications.Events
            .Where(e => e.Created > oldest
                && e.Application == application
                && filter.Matches("user.id", e.UserId)
                && filter.Matches("event.entity", e.Entity)
                && filter.Terms.All(t => t.Field != "event.type" || (t.Value == e.EventType || t.Value == e.TypeId) == (t.Op == FilterOps.Eq)))
            .Reverse()
            .ToArray();
        return Answers.Json(context, 200, (events, context.BaseUrl()), static (writer, x) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteStartArray("data"u8);
            foreach (var happened in x.events)
                Write(writer, happened, x.Item2);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{x.Item2}/events");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private Task Get(HttpContext context, BasiqApplication application)
    {
        var happened = state.Notifications.Event((string)context.Request.RouteValues["id"]!);
        return happened is null || happened.Application != application || happened.Created <= clock.GetUtcNow() - Events.Kept
            ? Answers.NotFound(context)
            : Answers.Json(context, 200, (happened, context.BaseUrl()), static (writer, x) => Write(writer, x.happened, x.Item2));
    }

    private static Task ListTypes(HttpContext context, BasiqApplication application)
    {
        return Answers.Json(context, 200, context.BaseUrl(), static (writer, baseUrl) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, EventTypes.All.Length);
            writer.WriteNumber("count"u8, EventTypes.All.Length);
            writer.WriteStartArray("data"u8);
            foreach (var type in EventTypes.All)
                WriteType(writer, type, baseUrl);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/events/types");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static Task GetType(HttpContext context, BasiqApplication application)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        var type = EventTypes.All.FirstOrDefault(t => t.Id == id);
        return type.Id is null
            ? Answers.NotFound(context)
            : Answers.Json(context, 200, (type, context.BaseUrl()), static (writer, x) => WriteType(writer, x.type, x.Item2));
    }

    private static void WriteType(Utf8JsonWriter writer, (string Id, string When) type, string baseUrl)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "eventType"u8);
        writer.WriteString("id"u8, type.Id);
        writer.WriteString("description"u8, type.When);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/events/types/{type.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, EventRecord happened, string baseUrl)
    {
        var path = happened.Path;
        writer.WriteStartObject();
        writer.WriteString("type"u8, "event"u8);
        writer.WriteString("id"u8, happened.Id);
        writer.WriteString("createdDate"u8, Answers.Timestamp(happened.Created));
        writer.WriteString("entity"u8, happened.Entity);
        writer.WriteString("eventType"u8, happened.EventType);
        writer.WriteString("userId"u8, happened.UserId);
        writer.WriteString("dataRef"u8, baseUrl + path);
        WriteData(writer, happened, baseUrl);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/events/{happened.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>
    /// In the shapes of the guide's samples: transactions come with their connection and their number, as text; accounts with their
    /// connection; anything else is what the event is about.
    /// </summary>
    private static void WriteData(Utf8JsonWriter writer, EventRecord happened, string baseUrl)
    {
        var path = happened.Path;
        var connection = happened.ConnectionId is { } id && happened.Entity != "connection" ? $"/users/{happened.UserId}/connections/{id}" : null;
        writer.WriteStartObject("data"u8);
        writer.WriteString("type"u8, happened.Entity);
        if (happened.Count is null)
            writer.WriteString("id"u8, path[(path.LastIndexOf('/') + 1)..]);
        if (connection is not null)
        {
            writer.WriteStartObject("connection"u8);
            writer.WriteString("type"u8, "connection"u8);
            writer.WriteString("id"u8, happened.ConnectionId);
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, baseUrl + connection);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        if (happened.Count is { } count)
            writer.WriteString("count"u8, count.ToString(CultureInfo.InvariantCulture));
        if (happened.Status is not null)
            writer.WriteString("status"u8, happened.Status);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, baseUrl + path + (happened.Count is null ? "" : $"?filter=connection.id.eq('{happened.ConnectionId}')"));
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
