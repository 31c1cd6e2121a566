using System.Net;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class ManagePageTests
{
    [Fact]
    public async Task The_page_shows_consents_with_their_end_and_banks_and_revokes_with_a_button()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var token = await host.ClientToken(userId);
        var consentId = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString()!;

        var page = await Text(host, $"/home?token={token}&action=manage&state=a%26b");
        Assert.Contains("Hooli", page, StringComparison.Ordinal);
        Assert.Contains("ends on 16 March 2027", page, StringComparison.Ordinal);
        Assert.Contains($"name=\"revoke\" value=\"{consentId}\"", page, StringComparison.Ordinal);

        var answer = await Post(host, token, ("revoke", consentId), ("state", "a&b"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        page = await Text(host, answer.Headers.Location!.OriginalString);
        Assert.Contains("role=\"status\"", page, StringComparison.Ordinal);
        Assert.Contains("revoked on 16 March 2026", page, StringComparison.Ordinal);
        Assert.DoesNotContain("name=\"revoke\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"a&amp;b\"", page, StringComparison.Ordinal);
        Assert.Equal("revoked", (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("status").GetString());
        var events = (await host.Get("/events?filter=event.type.eq('consent.revoked')")).GetProperty("data");
        Assert.EndsWith(consentId, events[0].GetProperty("dataRef").GetString(), StringComparison.Ordinal);

        var done = await Post(host, token, ("done", "1"), ("state", "a&b"));
        Assert.Equal("http://localhost:7071/api/consent/return?state=a%26b", done.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Extending_there_moves_the_end()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        host.Clock.Advance(TimeSpan.FromDays(100));
        await host.SignIn();
        var token = await host.ClientToken(userId);
        var answer = await Post(host, token, ("extend", "1"));
        Assert.Contains("ends on 24 June 2027", await Text(host, answer.Headers.Location!.OriginalString), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_days_are_Sydney_s()
    {
        await using var host = await SandboxHost.StartAsync(clock: new(new(2026, 1, 1, 13, 30, 0, TimeSpan.Zero)));
        var token = await host.ClientToken(await host.UserWithBank());
        Assert.Contains("Given on 2 January 2026, ends on 2 January 2027.", await Text(host, $"/home?token={token}&action=manage"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_revokes_what_is_not_theirs()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var consentId = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString()!;
        var foreign = await host.ClientToken(await host.CreateUser());
        Assert.Equal(HttpStatusCode.SeeOther, (await Post(host, foreign, ("revoke", consentId))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Post(host, "none", ("revoke", consentId))).StatusCode);
        Assert.Equal("active", (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("status").GetString());
        Assert.Contains("You share no data", await Text(host, $"/home?token={foreign}&action=manage"), StringComparison.Ordinal);
    }

    private static async Task<string> Text(SandboxHost host, string url)
    {
        using var response = await host.Http.GetAsync(url);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private static Task<HttpResponseMessage> Post(SandboxHost host, string token, params (string Name, string Value)[] fields) => host.Http.PostAsync(
        "/home/manage", new FormUrlEncodedContent([new("token", token), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));
}
