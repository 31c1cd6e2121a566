using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>
/// <c>/users/{userId}/identities</c>: who each bank says that the person is, once it has given its accounts, and one of them. A bank of
/// open banking has it all in parts; the others have a name and an address in one line.
/// </summary>
internal sealed class IdentityEndpoints(DataViews data)
{
    public void Map(ApiRoutes routes)
    {
        routes.OfUser("GET", "/users/{userId}/identities", List);
        routes.OfUser("GET", "/users/{userId}/identities/{identityId}", Get);
    }

    private Task List(HttpContext context, UserState user) =>
        Answers.Json(context, 200, (Of(user), user, context.BaseUrl()), static (writer, x) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("count"u8, x.Item1.Length);
            writer.WriteStartArray("data"u8);
            foreach (var account in x.Item1)
                Write(writer, x.user, account, x.Item3);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });

    private Task Get(HttpContext context, UserState user)
    {
        var id = (string)context.Request.RouteValues["identityId"]!;
        return Of(user).FirstOrDefault(account => IdOf(account) == id) is { } found
            ? Answers.Json(context, 200, (found, user, context.BaseUrl()), static (writer, x) => Write(writer, x.user, x.found, x.Item3))
            : Answers.NotFound(context);
    }

    /// <summary>The first account of each connection that has any.</summary>
    private AccountView[] Of(UserState user) => [.. user.Connections.Select(data.Accounts).Where(accounts => accounts.Length > 0).Select(accounts => accounts[0])];

    private static string IdOf(AccountView account)
    {
        var key = Chance.Mix(19, account.Connection.Id);
        return Identifier.Of(key, Chance.Mix(key, 1));
    }

    private static void Write(Utf8JsonWriter writer, UserState user, AccountView account, string baseUrl)
    {
        var (connection, home) = (account.Connection, Persona.Find(account.Connection.LoginId)!.Household);
        var isOpen = Institution.Find(connection.InstitutionId)!.GivesMoments;
        writer.WriteStartObject();
        writer.WriteString("type"u8, "identity"u8);
        writer.WriteString("id"u8, IdOf(account));
        writer.WriteString("created"u8, Answers.Timestamp(connection.Created));
        writer.WriteString("updated"u8, Answers.Timestamp(account.Updated));
        writer.WriteString("source"u8, isOpen ? "openbanking"u8 : "web"u8);
        writer.WriteString("connectionID"u8, connection.Id);
        writer.WriteString("institutionID"u8, connection.InstitutionId);
        writer.WriteString("fullName"u8, $"{home.FirstName} {home.LastName}");
        writer.WriteString("firstName"u8, home.FirstName);
        writer.WriteString("lastName"u8, home.LastName);
        writer.WriteString("middleName"u8, ""u8);
        writer.WriteString("title"u8, ""u8);
        writer.WriteString("DOB"u8, home.Born.ToString("yyyy-MM-dd", null));
        writer.WriteString("occupationCode"u8, ""u8);
        writer.WriteString("occupationCodeVersion"u8, ""u8);
        writer.WriteStartArray("phoneNumbers"u8);
        writer.WriteStringValue(home.Phone);
        writer.WriteEndArray();
        writer.WriteStartArray("emailAddresses"u8);
        writer.WriteStringValue($"{home.FirstName}.{home.LastName}@mail.example".ToLowerInvariant());
        writer.WriteEndArray();
        writer.WriteStartArray("physicalAddresses"u8);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "home"u8);
        writer.WriteString("addressLine1"u8, isOpen ? home.Street : $"{home.Street} {home.State} {home.Postcode}".ToUpperInvariant());
        writer.WriteString("addressLine2"u8, ""u8);
        writer.WriteString("addressLine3"u8, ""u8);
        writer.WriteString("postcode"u8, home.Postcode);
        writer.WriteString("city"u8, home.Suburb);
        writer.WriteString("state"u8, home.State);
        writer.WriteString("country"u8, "Australia"u8);
        writer.WriteString("countryCode"u8, "AU"u8);
        writer.WriteString("formattedAddress"u8, $"{home.Street}, {home.Suburb}, {home.State} {home.Postcode}, Australia");
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/users/{user.Id}/identities/{IdOf(account)}");
        writer.WriteString("job"u8, $"{baseUrl}/jobs/{user.Jobs.FirstOrDefault(job => job.ConnectionId == connection.Id)?.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
