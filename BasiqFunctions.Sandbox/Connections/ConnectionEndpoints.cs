using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Connections;

/// <summary><c>/users/{userId}/connections</c>: list, one, delete, purge, and refresh of all or one.</summary>
internal sealed class ConnectionEndpoints(SandboxState state, Jobs jobs, Events events, DataViews data, LiveOptions options, TimeProvider clock)
{
    private static readonly FilterFields Filters = new(
    [
        ("id", FilterOps.Equality),
        ("connection.id", FilterOps.Equality),
        ("status", FilterOps.Equality),
        ("institution.id", FilterOps.Equality),
    ]);

    public void Map(ApiRoutes routes)
    {
        routes.OfUser("GET", "/users/{userId}/connections", List);
        routes.OfUser("GET", "/users/{userId}/connections/{connectionId}", Get);
        routes.OfUser("DELETE", "/users/{userId}/connections/{connectionId}", Delete);
        routes.OfUser("POST", "/users/{userId}/connections/refresh", RefreshAll);
        routes.OfUser("POST", "/users/{userId}/connections/{connectionId}/refresh", Refresh);
        routes.OfUser("POST", "/users/{userId}/connections/{connectionId}/purge", Purge);
    }

    private static ConnectionState? Asked(HttpContext context, UserState user) =>
        user.Connection((string)context.Request.RouteValues["connectionId"]!);

    private ConnectionState? DeletedOne(HttpContext context, UserState user) =>
        options.Current.GivesDeletedConnections
            ? user.Connections.FirstOrDefault(connection => connection.Record.Id == (string)context.Request.RouteValues["connectionId"]!)
            : null;

    private Task List(HttpContext context, UserState user)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        var now = clock.GetUtcNow();
        var connections = user.Connections
            .Where(c => (!c.Record.Deleted || options.Current.GivesDeletedConnections)
                && filter.Matches("id", c.Record.Id)
                && filter.Matches("connection.id", c.Record.Id)
                && filter.Matches("institution.id", c.Record.InstitutionId)
                && filter.Matches("status", Status(user, c, now)))
            .ToArray();
        return Answers.Json(context, 200, (user, connections, now, context.BaseUrl()), static (writer, x) =>
        {
            var (user, connections, now, baseUrl) = x;
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, connections.Length);
            writer.WriteStartArray("data"u8);
            foreach (var connection in connections)
            {
                writer.WriteStartObject();
                WriteCommon(writer, user, connection, now, baseUrl);
                writer.WriteString("institution"u8, $"{baseUrl}/institutions/{connection.Record.InstitutionId}");
                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/users/{user.Id}/connections");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private Task Get(HttpContext context, UserState user)
    {
        if ((Asked(context, user) ?? DeletedOne(context, user)) is not { } connection)
            return Answers.NotFound(context);
        return Answers.Json(
            context, 200, (user, connection, data.Accounts(connection), clock.GetUtcNow(), context.BaseUrl()), static (writer, x) =>
            {
                var (user, connection, accounts, now, baseUrl) = x;
                writer.WriteStartObject();
                WriteCommon(writer, user, connection, now, baseUrl);
                writer.WriteString("user"u8, $"{baseUrl}/users/{user.Id}");
                writer.WriteEndObject();
                writer.WriteStartObject("accounts"u8);
                writer.WriteString("type"u8, "list"u8);
                writer.WriteStartArray("data"u8);
                foreach (var account in accounts)
                    AccountEndpoints.WriteShort(writer, user, account, baseUrl);
                writer.WriteEndArray();
                writer.WriteEndObject();
                if (Status(user, connection, now) == "active")
                    WriteProfile(writer, Persona.Find(connection.Record.LoginId)!);
                writer.WriteEndObject();
            });
    }

    /// <summary>The accounts and transactions stay with the user.</summary>
    private Task Delete(HttpContext context, UserState user)
    {
        lock (user.Gate)
        {
            if (Asked(context, user) is not { } connection)
                return Answers.NotFound(context);
            state.Record(new StateLine { Connection = connection.Record with { Deleted = true } });
            events.Raise(EventTypes.ConnectionDeleted, connection.Record, "deleted");
        }

        return Answers.NoContent(context);
    }

    /// <summary>Removes the accounts and transactions, "only applicable for active user connections"; the next refresh retrieves them anew.</summary>
    private Task Purge(HttpContext context, UserState user)
    {
        var now = clock.GetUtcNow();
        lock (user.Gate)
        {
            if (user.Deleted || Asked(context, user) is not { } connection)
                return Answers.NotFound(context);
            if (Status(user, connection, now) != "active")
                return Answers.BadParameter(context, "connectionId", "Only an active connection can be purged.");
            state.Record(new StateLine { Connection = connection.Record with { Purged = now } });
        }

        return Answers.NoContent(context);
    }

    private Task Refresh(HttpContext context, UserState user)
    {
        JobRecord job;
        bool isNew;
        lock (user.Gate)
        {
            if (user.Deleted || Asked(context, user) is not { } connection)
                return Answers.NotFound(context);
            if (connection.Record.IsStatement)
                return Answers.BadParameter(context, "connectionId", "A statement has no bank that could be asked again.");
            if (connection.Record.LeftAs is not null)
                return Answers.BadParameter(context, "connectionId", "The person has not finished connecting it.");
            if (IsSpent(connection))
                return BeyondTheLimit(context);
            (job, isNew) = jobs.Start(connection);
        }

        return Answers.Json(
            context, isNew ? 202 : 200, (job, context.BaseUrl()), static (writer, x) => Jobs.WriteShort(writer, x.job, x.Item2));
    }

    private Task RefreshAll(HttpContext context, UserState user)
    {
        List<JobRecord> started = [];
        var (anyNew, anySpent) = (false, false);
        lock (user.Gate)
        {
            if (user.Deleted)
                return Answers.NotFound(context);
            foreach (var connection in user.Connections.Where(c => c.Record is { Deleted: false, IsStatement: false, LeftAs: null }))
            {
                if (IsSpent(connection))
                {
                    anySpent = true;
                    continue;
                }

                var (job, isNew) = jobs.Start(connection);
                started.Add(job);
                anyNew |= isNew;
            }
        }

        if (anySpent && started.Count == 0)
            return BeyondTheLimit(context);

        var status = anyNew || started.Count == 0 ? 202 : 200;
        return Answers.Json(context, status, (started, context.BaseUrl()), static (writer, x) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteStartArray("data"u8);
            foreach (var job in x.started)
                Jobs.WriteShort(writer, job, x.Item2);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    /// <summary>That open banking takes 20 refreshes a day is documented; how Basiq refuses one more is not. Too many requests is the nearest that it has.</summary>
    private static Task BeyondTheLimit(HttpContext context) => Answers.Error(
        context, 429, new ApiError("too-many-requests", "Too many requests.", "The connection has been refreshed as often as it can be on a day."));

    /// <summary>Whether the day's refreshes that somebody asked for are used up; one that is running is given once more.</summary>
    private bool IsSpent(ConnectionState connection)
    {
        var (current, now) = (options.Current, clock.GetUtcNow());
        if (!current.Strict || (connection.Jobs is [.., var last] && new JobProgress(last, now).IsRunning))
            return false;
        var day = SydneyDays.Of(now.UtcDateTime);
        return connection.Jobs.Count(job => job is { Authorises: false, IsBackground: false } && SydneyDays.Of(job.Created.UtcDateTime) == day) >= current.RefreshesPerDay;
    }

    /// <summary>A connection's status at a moment.</summary>
    public static string Status(UserState user, ConnectionState connection, DateTimeOffset now)
    {
        if (connection.Record is { Deleted: true })
            return "deleted";
        if (connection.Record.LeftAs is { } left)
            return left;
        if (connection.Record.ConsentRevoked || connection.ConsentHasEnded(user, now))
            return "invalid";
        for (var i = connection.Jobs.Length - 1; i >= 0; i--)
        {
            if (new JobProgress(connection.Jobs[i], now).IsLetIn is { } isLetIn)
                return isLetIn ? "active" : "invalid";
        }

        return "pending";
    }

    /// <summary>Leaves the object <c>links</c> open, for what one answer has there and another has not.</summary>
    private static void WriteCommon(
        Utf8JsonWriter writer, UserState user, ConnectionState connection, DateTimeOffset now, string baseUrl)
    {
        var record = connection.Record;
        var institution = $"{baseUrl}/institutions/{record.InstitutionId}";
        var userUrl = $"{baseUrl}/users/{user.Id}";
        var expires = user.Consents.FirstOrDefault(c => c.Id == record.ConsentId)?.Expires ?? record.Created.AddYears(1);
        var used = connection.Jobs is [.., var last] ? last.Created : record.Created;
        writer.WriteString("type"u8, "connection"u8);
        writer.WriteString("id"u8, record.Id);
        writer.WriteString("method"u8, record.IsStatement ? "pdf"u8 : "open-banking"u8);
        writer.WriteString("status"u8, Status(user, connection, now));
        writer.WriteString("createdDate"u8, Answers.Timestamp(record.Created));
        writer.WriteString("expiryDate"u8, record.IsStatement ? "" : Answers.Timestamp(expires));
        writer.WriteString("lastUsed"u8, Answers.Timestamp(used));
        writer.WriteStartObject("institution"u8);
        writer.WriteString("type"u8, "institution"u8);
        writer.WriteString("id"u8, record.InstitutionId);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, institution);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{userUrl}/connections/{record.Id}");
        writer.WriteString("accounts"u8, $"{userUrl}/accounts?filter=institution.id.eq('{record.InstitutionId}')");
        writer.WriteString("transactions"u8, $"{userUrl}/transactions?filter=institution.id.eq('{record.InstitutionId}')");
    }

    private static void WriteProfile(Utf8JsonWriter writer, Persona persona)
    {
        var home = persona.Household;
        writer.WriteStartObject("profile"u8);
        writer.WriteString("fullName"u8, $"{home.FirstName} {home.LastName}");
        writer.WriteString("firstName"u8, home.FirstName);
        writer.WriteString("middleName"u8, ""u8);
        writer.WriteString("lastName"u8, home.LastName);
        writer.WriteStartArray("emailAddresses"u8);
        writer.WriteStringValue($"{home.FirstName}.{home.LastName}@mail.example".ToLowerInvariant());
        writer.WriteEndArray();
        writer.WriteStartArray("phoneNumbers"u8);
        writer.WriteStringValue("+61 491 570 006"u8);
        writer.WriteEndArray();
        writer.WriteStartArray("physicalAddresses"u8);
        writer.WriteStartObject();
        writer.WriteString("addressLine1"u8, home.Street);
        writer.WriteNull("addressLine2"u8);
        writer.WriteNull("addressLine3"u8);
        writer.WriteString("city"u8, home.Suburb);
        writer.WriteString("state"u8, home.State);
        writer.WriteString("postcode"u8, home.Postcode);
        writer.WriteString("country"u8, "Australia"u8);
        writer.WriteString("countryCode"u8, "AU"u8);
        writer.WriteString("formattedAddress"u8, $"{home.Street}, {home.Suburb} {home.State} {home.Postcode}, Australia");
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
