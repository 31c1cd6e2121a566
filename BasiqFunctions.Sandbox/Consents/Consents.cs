using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Consents;

/// <summary>The life of a consent: given, extended, revoked. Callers hold the user's gate.</summary>
internal sealed class ConsentLife(SandboxState state, Events events, Milestones milestones, LiveOptions options, TimeProvider clock)
{
    public ConsentRecord? InForce(UserState user)
    {
        var now = clock.GetUtcNow();
        return user.Consents.LastOrDefault(c => !c.HasEndedAt(now));
    }

    public ConsentRecord Give(UserState user)
    {
        var now = clock.GetUtcNow();
        var consent = new ConsentRecord(Guid.NewGuid().ToString(), user.Id, now, now, now + options.Current.ConsentLifetime, null);
        state.Record(new StateLine { Consent = consent });
        events.Raise(EventTypes.ConsentCreated, consent, "active");
        milestones.Watch(consent);
        return consent;
    }

    /// <summary>Lets the consent that is in force end as late as one given now; false when none is.</summary>
    public bool Extend(UserState user)
    {
        if (InForce(user) is not { } consent)
            return false;
        var now = clock.GetUtcNow();
        consent = consent with { Updated = now, Expires = now + options.Current.ConsentLifetime };
        state.Record(new StateLine { Consent = consent });
        events.Raise(EventTypes.ConsentUpdated, consent, "active");
        milestones.Watch(consent);
        return true;
    }

    /// <summary>A revoked consent stays in the list; what rests on it is invalid from then on. False for one that has ended.</summary>
    public bool Revoke(UserState user, string consentId)
    {
        var now = clock.GetUtcNow();
        if (user.Deleted || user.Consents.FirstOrDefault(c => c.Id == consentId) is not { } consent || consent.HasEndedAt(now))
            return false;
        state.Record(new StateLine { Consent = consent with { Updated = now, Revoked = now } });
        events.Raise(EventTypes.ConsentRevoked, consent, "revoked");
        foreach (var connection in user.Connections.Where(c => c.Record.ConsentId == consentId && !c.Record.ConsentRevoked))
        {
            state.Record(new StateLine { Connection = connection.Record with { ConsentRevoked = true } });
            if (!connection.Record.Deleted)
                events.Raise(EventTypes.ConnectionInvalidated, connection.Record, "invalid");
        }

        return true;
    }
}

/// <summary><c>/users/{userId}/consents</c> and <c>/users/{userId}/auth_link</c>.</summary>
internal sealed class ConsentEndpoints(SandboxState state, ConsentLife consents, TimeProvider clock)
{
    private static readonly TimeSpan AuthLinkLifetime = TimeSpan.FromDays(30);

    private static readonly (string Scope, string Entity, string Name, string Description, string[] Attributes)[] Permissions =
    [
        (
            "account.basic",
            "account",
            "Account name, type and balance",
            "A list of the accounts and what is on them.",
            ["Name of account", "Type of account", "Account balance"]),
        (
            "account.detail",
            "account",
            "Account numbers and features",
            "The details of the accounts.",
            ["Account number", "Interest rates", "Fees"]),
        (
            "transaction.detail",
            "transaction",
            "Transaction details",
            "What was paid and received.",
            ["Incoming and outgoing transactions", "Amounts", "Dates", "Descriptions of transactions"]),
        (
            "customer.person.detail",
            "connection",
            "Name, occupation, contact details",
            "Who the account holder is.",
            ["Name", "Phone", "Email address", "Residential address"]),
    ];

    /// <summary>What a consent covers.</summary>
    public static IReadOnlyList<string> Scopes { get; } = [.. Permissions.Select(p => p.Scope)];

    public void Map(ApiRoutes routes)
    {
        routes.OfUser("GET", "/users/{userId}/consents", List);
        routes.OfUser("DELETE", "/users/{userId}/consents/{consentId}", Revoke);
        routes.OfUser("POST", "/users/{userId}/auth_link", CreateLink);
        routes.OfUser("GET", "/users/{userId}/auth_link", GetLink);
        routes.OfUser("DELETE", "/users/{userId}/auth_link", DeleteLink);
    }

    private Task List(HttpContext context, UserState user)
    {
        return Answers.Json(context, 200, (user, clock.GetUtcNow(), context.BaseUrl()), static (writer, x) =>
        {
            var (user, now, baseUrl) = x;
            var consents = user.Consents;
            var self = $"{baseUrl}/users/{user.Id}/consents";
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, consents.Length);
            writer.WriteStartArray("data"u8);
            foreach (var consent in consents)
                Write(writer, consent, now, $"{self}/{consent.Id}");
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, self);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private Task Revoke(HttpContext context, UserState user)
    {
        lock (user.Gate)
        {
            return consents.Revoke(user, (string)context.Request.RouteValues["consentId"]!)
                ? Answers.NoContent(context)
                : Answers.NotFound(context);
        }
    }

    private async Task CreateLink(HttpContext context, UserState user)
    {
        var mobile = user.Record.Fields.Mobile;
        if (context.Request.HasJsonContentType() && context.Request.ContentLength != 0)
        {
            try
            {
                using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
                if (body.RootElement.ValueKind == JsonValueKind.Object
                    && body.RootElement.TryGetProperty("mobile", out var given)
                    && given.ValueKind != JsonValueKind.Null)
                {
                    mobile = given.ValueKind == JsonValueKind.String ? given.GetString() : "";
                }
            }
            catch (JsonException)
            {
                await Answers.BadContent(context, "The body is not JSON.");
                return;
            }
        }

        if (mobile is null)
        {
            await Answers.MissingParameter(context, "mobile", "Neither the request nor the user has a mobile.");
            return;
        }

        if (!UserEndpoints.IsMobile(mobile))
        {
            await Answers.BadParameter(context, "mobile", "mobile value is not valid.");
            return;
        }

        var link = new AuthLinkRecord(Guid.NewGuid().ToString(), user.Id, mobile, clock.GetUtcNow() + AuthLinkLifetime);
        lock (user.Gate)
        {
            if (!user.Deleted)
                state.Record(new StateLine { AuthLink = link });
        }

        await WriteLink(context, 201, link);
    }

    private Task GetLink(HttpContext context, UserState user)
    {
        return user.AuthLink switch
        {
            null => Answers.NotFound(context),
            var link when link.Expires <= clock.GetUtcNow() => Answers.Error(
                context,
                410,
                new ApiError("resource-no-longer-available", "Resource is no longer available.", "The auth link has expired.")),
            var link => WriteLink(context, 200, link),
        };
    }

    private Task DeleteLink(HttpContext context, UserState user)
    {
        lock (user.Gate)
        {
            if (user.AuthLink is null)
                return Answers.NotFound(context);
            state.Record(new StateLine { DeletedAuthLink = user.Id });
        }

        return Answers.NoContent(context);
    }

    private static Task WriteLink(HttpContext context, int status, AuthLinkRecord link)
    {
        return Answers.Json(context, status, (link, context.BaseUrl()), static (writer, x) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "auth_link"u8);
            writer.WriteString("id"u8, x.link.Id);
            writer.WriteString("userId"u8, x.link.UserId);
            writer.WriteString("mobile"u8, x.link.Mobile);
            writer.WriteString("expiresAt"u8, Answers.Timestamp(x.link.Expires));
            writer.WriteStartObject("links"u8);
            writer.WriteString("public"u8, $"{x.Item2}/home/link/{x.link.Id}");
            writer.WriteString("self"u8, $"/users/{x.link.UserId}/auth_link");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static void Write(Utf8JsonWriter writer, ConsentRecord consent, DateTimeOffset now, string self)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "consent"u8);
        writer.WriteString("id"u8, consent.Id);
        writer.WriteString("created"u8, Answers.Timestamp(consent.Created));
        writer.WriteString("updated"u8, Answers.Timestamp(consent.Updated));
        writer.WriteString("expiryDate"u8, Answers.Timestamp(consent.Expires));
        writer.WriteString("origin"u8, "user"u8);
        writer.WriteString("status"u8, consent.Revoked is not null ? "revoked"u8 : consent.Expires <= now ? "expired"u8 : "active"u8);
        if (consent.Revoked is { } revoked)
            writer.WriteString("revoked"u8, Answers.Timestamp(revoked));
        writer.WriteStartObject("purpose"u8);
        writer.WriteStartObject("primary"u8);
        writer.WriteString("title"u8, "Share your financial data"u8);
        writer.WriteString("description"u8, "Your bank is asked for some information about your finances."u8);
        writer.WriteEndObject();
        writer.WriteNull("other"u8);
        writer.WriteEndObject();
        writer.WriteStartObject("data"u8);
        writer.WriteBoolean("retainData"u8, true);
        writer.WriteNumber("initialRetrievalDays"u8, 365);
        writer.WriteNull("organisation"u8);
        writer.WriteStartArray("permissions"u8);
        foreach (var (scope, entity, name, description, attributes) in Permissions)
        {
            writer.WriteStartObject();
            writer.WriteString("scope"u8, scope);
            writer.WriteBoolean("required"u8, true);
            writer.WriteBoolean("consented"u8, true);
            writer.WriteString("entity"u8, entity);
            writer.WriteStartObject("information"u8);
            writer.WriteString("name"u8, name);
            writer.WriteString("description"u8, description);
            writer.WriteStartArray("attributeList"u8);
            foreach (var attribute in attributes)
                writer.WriteStringValue(attribute);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteStartObject("purpose"u8);
            writer.WriteString("title"u8, name);
            writer.WriteString("description"u8, description);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, self);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
