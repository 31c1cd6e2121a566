using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>Whom and what an event is about, in whichever of Basiq's shapes it comes.</summary>
[Trait("Category", "Unit")]
public sealed class BasiqEventTests
{
    private const string Api = "https://au-api.basiq.io";

    [Theory]

    // The guide's samples.
    [InlineData("transactions", "updated", "/users/u/transactions",
        """{"connection":{"id":"c","links":{"self":"https://au-api.basiq.io/users/u/connections/c"},"type":"connection"},"count":"13","links":{"self":"https://au-api.basiq.io/users/u/transactions?filter=connection.id.eq('c')"},"type":"transactions"}""")]
    [InlineData("account", "updated", "/users/u/accounts/a",
        """{"id":"a","type":"account","connection":{"id":"c","type":"connection"},"links":{"self":"https://au-api.basiq.io/users/u/accounts/a"}}""")]
    [InlineData("connection", "invalidated", "/users/u/connections/c",
        """{"createdDate":"2024-04-29T10:52:07Z","id":"c","institution":{"id":"AU04301","type":"institution"},"status":"invalid-connection","type":"connection"}""")]

    // The connection alone, as its id, as an object without a type, as a list of one.
    [InlineData("transactions", "updated", "/users/u/transactions", """{"connection":"c","count":13}""")]
    [InlineData("connection", "deleted", "/users/u", """{"id":"c"}""")]
    [InlineData("connection", "activated", "/users/u", """[{"id":"c","type":"connection"}]""")]
    [InlineData("account", "updated", "/users/u/accounts", """[{"id":"a","connection":{"id":"c"}}]""")]

    // Nothing but the path or its filter, in the clear or encoded.
    [InlineData("transactions", "updated", "/users/u/transactions?filter=connection.id.eq('c')", """{"type":"transactions"}""")]
    [InlineData("transactions", "updated", "/users/u/transactions?filter=connection.id.eq%28%27c%27%29", "null")]
    [InlineData("connection", "deleted", "/users/u/connections/c", """{"status":"deleted"}""")]
    [InlineData("connection", "deleted", "/users/u/connections/c", """{"id":"u","type":"user"}""")]
    public void An_event_names_its_connection(string entity, string type, string path, string data)
    {
        var happened = Event(entity, type, path, data);
        Assert.Equal(("u", "c", null), (happened.UserId?.Value, happened.ConnectionId?.Value, happened.ConsentId));
    }

    [Theory]
    [InlineData("transactions", "/users/u/transactions", """{"connection":{"id":"c/../d"},"count":"13"}""")]
    [InlineData("transactions", "/users/u/transactions", """{"connection":{"id":{"id":"c"}}}""")]
    [InlineData("transactions", "/users/u/transactions", """{"connection":["c"]}""")]
    [InlineData("transactions", "/users/u/transactions", """{"connection":""}""")]
    [InlineData("transactions", "/users/u/transactions", """{"connection":null,"id":"t"}""")]
    [InlineData("transactions", "/users/u/transactions", "[]")]
    [InlineData("transactions", "/users/u/transactions", "[[]]")]
    [InlineData("transactions", "/users/u/transactions", "13")]
    [InlineData("transactions", "/users/u/transactions?filter=connection.id.eq('c", "null")]
    [InlineData("account", "/users/u/accounts/a", """{"id":"a","type":"account"}""")]
    [InlineData("connection", "/users/u", """{"id":"u","type":"user"}""")]
    [InlineData("connection", "/users/u/connections/c%2Fd%21", "null")]
    [InlineData("connection", "/users/u/connections/12345678901234567890123456789012345678901234567890123456789012345", "null")]
    [InlineData("connection", "/users/u/connections/", """{"id":"\uD800"}""")]
    public void An_event_that_names_no_connection_in_order_has_none(string entity, string path, string data)
    {
        var happened = Event(entity, "updated", path, data);
        Assert.Equal(("u", null, null), (happened.UserId?.Value, happened.ConnectionId?.Value, happened.ConsentId));
    }

    [Theory]
    [InlineData("/users/u/consents/x", """{"id":"x","type":"consent","status":"revoked"}""", "x")]
    [InlineData("/users/u/consents/x", "null", "x")]
    [InlineData("/users/u", """{"id":"x"}""", "x")]
    [InlineData("/users/u", """[{"id":"x","type":"consent"}]""", "x")]

    // The description's example of a revoked consent carries the user.
    [InlineData("/users/u", """[{"email":"max@hooli.com","id":"u","type":"user"}]""", null)]
    [InlineData("/users/u/consents", """{"id":13.5}""", null)]
    public void An_event_of_a_consent_names_it(string path, string data, string? consentId)
    {
        var happened = Event("consent", "revoked", path, data);
        Assert.Equal(("u", null, consentId), (happened.UserId?.Value, happened.ConnectionId?.Value, happened.ConsentId));
    }

    [Theory]
    [InlineData("revoked", "x")]
    [InlineData("Expired", "x")]
    [InlineData("active", null)]
    [InlineData("a-status-to-come", null)]
    public void An_event_names_an_ended_consent_unless_what_it_carries_says_otherwise(string status, string? consentId) =>
        Assert.Equal(
            consentId,
            Event("consent", "revoked", "/users/u/consents/x", $$"""{"id":"x","type":"consent","status":"{{status}}"}""").EndedConsentId);

    [Theory]
    [InlineData("\"userId\":\"u\",", "/elsewhere", "null", "u")]
    [InlineData("", "/users/u", "null", "u")]
    [InlineData("", "/elsewhere", """{"id":"u","type":"user"}""", "u")]
    [InlineData("\"userId\":\"u/../v\",", "/users/u", """{"id":"w","type":"account"}""", "u")]
    [InlineData("\"userId\":[\"u\"],", "/elsewhere", "null", null)]
    public void A_user_is_named_by_the_event_by_what_it_carries_or_by_the_path(string userId, string path, string data, string? expected) =>
        Assert.Equal(
            expected,
            BasiqEvent.Parse($$"""{"id":"e","entity":"user","eventType":"deleted",{{userId}}"data":{{data}},"dataRef":"{{Api}}{{path}}"}""").UserId);

    private static BasiqEvent Event(string entity, string type, string path, string data) => BasiqEvent.Parse(
        $$"""{"type":"event","id":"e","createdDate":"2024-04-29T11:48:20Z","entity":"{{entity}}","eventType":"{{type}}","userId":"u","links":{"self":"{{Api}}/events/e"},"data":{{data}},"dataRef":"{{Api}}{{path}}"}""");
}
