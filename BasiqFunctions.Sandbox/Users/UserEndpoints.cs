using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Users;

/// <summary><c>/users</c>: create, get, update, delete. The same e-mail twice makes two users, as at Basiq.</summary>
internal sealed partial class UserEndpoints(SandboxState state, Events events, DataViews data, TimeProvider clock)
{
    private static readonly string[] TextFields =
    [
        "email", "mobile", "firstName", "middleName", "lastName",
        "businessName", "businessIdNo", "businessIdNoType", "verificationDate",
    ];

    private static readonly string[] AddressFields =
        ["addressLine1", "addressLine2", "suburb", "state", "postcode", "countryCode"];

    public void Map(ApiRoutes routes)
    {
        routes.Server("POST", "/users", Create);
        routes.OfUser("GET", "/users/{userId}", Get);
        routes.OfUser("POST", "/users/{userId}", Update);
        routes.OfUser("DELETE", "/users/{userId}", Delete);
    }

    private async Task Create(HttpContext context, BasiqApplication application)
    {
        var (fields, errors) = await ReadFields(context);
        if (errors.Count == 0 && fields.Email is null && fields.Mobile is null)
        {
            errors.Add(new ApiError(
                "parameter-not-supplied", "Parameter not supplied.", "Either email or mobile is required.", "email", "email"));
        }

        if (errors.Count > 0)
        {
            await Answers.Error(context, 400, errors);
            return;
        }

        var record = new UserRecord(Guid.NewGuid().ToString(), clock.GetUtcNow(), fields) { Application = application };
        state.Record(new StateLine { User = record });
        events.Raise(EventTypes.UserCreated, record);
        await Answers.Json(context, 201, (record, context.BaseUrl()), WriteShort);
    }

    private Task Get(HttpContext context, UserState user)
    {
        return Answers.Json(context, 200, (user, data, context.BaseUrl()), static (writer, x) =>
        {
            var (user, data, baseUrl) = x;
            var fields = user.Record.Fields;
            var self = $"{baseUrl}/users/{user.Id}";
            writer.WriteStartObject();
            writer.WriteString("type"u8, "user"u8);
            writer.WriteString("id"u8, user.Id);
            writer.WriteString("email"u8, fields.Email ?? "");
            writer.WriteString("mobile"u8, fields.Mobile ?? "");
            writer.WriteString("name"u8, $"{fields.FirstName} {fields.LastName}".Trim());
            writer.WriteString("firstName"u8, fields.FirstName ?? "");
            writer.WriteString("middleName"u8, fields.MiddleName ?? "");
            writer.WriteString("lastName"u8, fields.LastName ?? "");
            WriteBusiness(writer, fields);
            var connections = user.Connections.Where(c => !c.Record.Deleted).Select(c => c.Record.Id);
            WriteReferences(writer, "connections", "connection", $"{self}/connections", connections);
            WriteReferences(writer, "accounts", "account", $"{self}/accounts", data.Accounts(user).Select(a => a.Id));
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, self);
            writer.WriteString("connections"u8, $"{self}/connections");
            writer.WriteString("accounts"u8, $"{self}/accounts");
            writer.WriteString("transactions"u8, $"{self}/transactions");
            writer.WriteString("auth_link"u8, $"{self}/auth_link");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private async Task Update(HttpContext context, UserState user)
    {
        // Read before the gate: a slow body must not hold it. Only what the body gives is set, so nothing is lost.
        var (given, errors) = await ReadFields(context);
        if (errors.Count > 0)
        {
            await Answers.Error(context, 400, errors);
            return;
        }

        UserRecord? record = null;
        lock (user.Gate)
        {
            if (!user.Deleted)
            {
                record = user.Record with { Fields = Merge(user.Record.Fields, given) };
                state.Record(new StateLine { User = record });
                events.Raise(EventTypes.UserUpdated, record);
            }
        }

        if (record is null)
            await Answers.NotFound(context);
        else
            await Answers.Json(context, 200, (record, context.BaseUrl()), WriteShort);
    }

    private Task Delete(HttpContext context, UserState user)
    {
        if (!state.DeleteUser(user))
            return Answers.NotFound(context);
        events.Raise(EventTypes.UserDeleted, user.Record);
        return Answers.NoContent(context);
    }

    private static UserFields Merge(UserFields old, UserFields given) => new()
    {
        Email = given.Email ?? old.Email,
        Mobile = given.Mobile ?? old.Mobile,
        FirstName = given.FirstName ?? old.FirstName,
        MiddleName = given.MiddleName ?? old.MiddleName,
        LastName = given.LastName ?? old.LastName,
        BusinessName = given.BusinessName ?? old.BusinessName,
        BusinessIdNo = given.BusinessIdNo ?? old.BusinessIdNo,
        BusinessIdNoType = given.BusinessIdNoType ?? old.BusinessIdNoType,
        BusinessAddress = given.BusinessAddress ?? old.BusinessAddress,
        VerificationStatus = given.VerificationStatus ?? old.VerificationStatus,
        VerificationDate = given.VerificationDate ?? old.VerificationDate,
    };

    private static async Task<(UserFields Fields, List<ApiError> Errors)> ReadFields(HttpContext context)
    {
        List<ApiError> errors = [];
        var request = context.Request;
        if (!request.HasJsonContentType())
        {
            errors.Add(new ApiError("invalid-content", "Invalid content.", "Send the user as application/json."));
            return (new UserFields(), errors);
        }

        JsonElement body;
        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, cancellationToken: context.RequestAborted);
            body = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            errors.Add(new ApiError("invalid-content", "Invalid content.", "The body is not JSON."));
            return (new UserFields(), errors);
        }

        if (body.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new ApiError("invalid-content", "Invalid content.", "The body must be a JSON object."));
            return (new UserFields(), errors);
        }

        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach (var name in TextFields)
        {
            if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
                continue;
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= 256 } text && IsValid(name, text))
                texts[name] = text;
            else
                errors.Add(NotValid(name));
        }

        bool? verified = null;
        if (body.TryGetProperty("verificationStatus", out var status) && status.ValueKind != JsonValueKind.Null)
        {
            if (status.ValueKind is JsonValueKind.True or JsonValueKind.False)
                verified = status.GetBoolean();
            else
                errors.Add(NotValid("verificationStatus"));
        }

        JsonElement? address = null;
        if (body.TryGetProperty("businessAddress", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            if (IsAddress(given))
                address = given;
            else
                errors.Add(NotValid("businessAddress"));
        }

        var fields = new UserFields
        {
            Email = texts.GetValueOrDefault("email"),
            Mobile = texts.GetValueOrDefault("mobile"),
            FirstName = texts.GetValueOrDefault("firstName"),
            MiddleName = texts.GetValueOrDefault("middleName"),
            LastName = texts.GetValueOrDefault("lastName"),
            BusinessName = texts.GetValueOrDefault("businessName"),
            BusinessIdNo = texts.GetValueOrDefault("businessIdNo"),
            BusinessIdNoType = texts.GetValueOrDefault("businessIdNoType"),
            BusinessAddress = address,
            VerificationStatus = verified,
            VerificationDate = texts.GetValueOrDefault("verificationDate"),
        };
        return (fields, errors);
    }

    private static ApiError NotValid(string name) => new(
        "parameter-not-valid",
        "Parameter not valid.",
        string.Create(CultureInfo.InvariantCulture, $"{name} value is not valid."),
        name,
        name);

    private static bool IsValid(string name, string value) => name switch
    {
        "email" => Email().IsMatch(value),
        "mobile" => IsMobile(value),
        "businessIdNoType" => value is "ABN" or "ACN",
        _ => true,
    };

    /// <summary>E.164: a plus sign and up to 15 digits, the first of them not 0.</summary>
    public static bool IsMobile(string value) => Mobile().IsMatch(value);

    private static bool IsAddress(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return false;
        foreach (var name in AddressFields)
        {
            if (value.TryGetProperty(name, out var line) && line.ValueKind != JsonValueKind.String)
                return false;
        }

        return true;
    }

    private static void WriteShort(Utf8JsonWriter writer, (UserRecord Record, string BaseUrl) x)
    {
        var fields = x.Record.Fields;
        writer.WriteStartObject();
        writer.WriteString("type"u8, "user"u8);
        writer.WriteString("id"u8, x.Record.Id);
        if (fields.Email is not null)
            writer.WriteString("email"u8, fields.Email);
        writer.WriteString("mobile"u8, fields.Mobile ?? "");
        writer.WriteString("firstName"u8, fields.FirstName ?? "");
        writer.WriteString("middleName"u8, fields.MiddleName ?? "");
        writer.WriteString("lastName"u8, fields.LastName ?? "");
        WriteBusiness(writer, fields);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{x.BaseUrl}/users/{x.Record.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteBusiness(Utf8JsonWriter writer, UserFields fields)
    {
        if (fields.BusinessName is not null)
            writer.WriteString("businessName"u8, fields.BusinessName);
        if (fields.BusinessIdNo is not null)
            writer.WriteString("businessIdNo"u8, fields.BusinessIdNo);
        if (fields.BusinessIdNoType is not null)
            writer.WriteString("businessIdNoType"u8, fields.BusinessIdNoType);
        if (fields.BusinessAddress is { } address)
        {
            writer.WriteStartObject("businessAddress"u8);
            foreach (var name in AddressFields)
            {
                if (address.TryGetProperty(name, out var line))
                    writer.WriteString(name, line.GetString());
            }

            writer.WriteEndObject();
        }

        if (fields.VerificationStatus is { } verified)
            writer.WriteBoolean("verificationStatus"u8, verified);
        if (fields.VerificationDate is not null)
            writer.WriteString("verificationDate"u8, fields.VerificationDate);
    }

    private static void WriteReferences(Utf8JsonWriter writer, string name, string type, string url, IEnumerable<string> ids)
    {
        var count = 0;
        writer.WriteStartObject(name);
        writer.WriteString("type"u8, "list"u8);
        writer.WriteStartArray("data"u8);
        foreach (var id in ids)
        {
            count++;
            writer.WriteStartObject();
            writer.WriteString("type"u8, type);
            writer.WriteString("id"u8, id);
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{url}/{id}");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("count"u8, count);
        writer.WriteEndObject();
    }

    [GeneratedRegex(@"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    [GeneratedRegex(@"^\+[1-9][0-9]{6,14}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Mobile();
}
