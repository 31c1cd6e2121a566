using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Edges;

/// <summary>A Basiq, or somebody in its place, whose answers lead astray.</summary>
[Trait("Category", "Journeys")]
public sealed class UpstreamTests
{
    [Theory]
    [InlineData("https://evil.example/users/u/transactions?next=x")]
    [InlineData("//evil.example/users/u/transactions?next=x")]
    [InlineData("http://{authority}@evil.example/x")]
    [InlineData("http://evil.example#@{authority}/x")]
    [InlineData("http://{authority}.evil.example/x")]
    [InlineData("http://user@{authority}/x")]
    [InlineData("https://{authority}/x")]
    [InlineData("\\\\evil.example\\x")]
    [InlineData("http:\\\\evil.example\\x")]
    [InlineData("ftp://{authority}/x")]
    [InlineData("file:///etc/passwd")]
    public async Task A_next_link_to_another_place_is_not_followed(string next)
    {
        Upstream upstream = null!;
        upstream = new Upstream((call, body) => call.EndsWith("/transactions", StringComparison.Ordinal)
            ? WithNext(body, next.Replace("{authority}", upstream.Requests.First().Authority, StringComparison.Ordinal))
            : body);
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TransactionsPerAccount=3", "Sync:MaxAttempts=2", "Sync:RetryDelay=00:00:00.05"], configure: upstream.Attach);
        var userId = await app.CreateUserAsync();

        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));

        Assert.NotEqual(SyncState.Completed, sync.Status);
        Assert.Equal("foreign-link", sync.Error?.Code);
        Assert.All(upstream.Requests, request => Assert.Equal(app.Sandbox.BaseAddress!.Authority, request.Authority));
        Assert.All(upstream.Requests, request => Assert.DoesNotContain("/x", request.AbsolutePath, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Accounts_that_are_not_UTF8_are_an_unusable_answer()
    {
        var upstream = new Upstream((call, body) => call.EndsWith("/accounts", StringComparison.Ordinal) ? Spoil(body) : body);
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:MaxAttempts=2", "Sync:RetryDelay=00:00:00.05"], configure: upstream.Attach);
        var userId = await app.CreateUserAsync();

        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));

        Assert.Equal((SyncState.Failed, "malformed-answer"), (sync.Status, sync.Error?.Code));
        Assert.Contains("UnusableAnswer", sync.Error!.Detail, StringComparison.Ordinal);
        Assert.Equal(2, await app.CountAsync("GET /users/{userId}/accounts"));
        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(accounts, HttpStatusCode.NotFound, "no-snapshot");
    }

    [Theory]
    [InlineData("users/{id}", "/users/{id}")]
    [InlineData("users/{id}/connections", "/connections")]
    public async Task An_answer_that_is_not_UTF8_is_a_problem(string path, string upstreamPath)
    {
        var userId = "";
        var upstream = new Upstream((call, body) =>
            userId.Length > 0 && call.EndsWith(upstreamPath.Replace("{id}", userId, StringComparison.Ordinal), StringComparison.Ordinal) ? Spoil(body) : body);
        await using var app = await AppUnderTest.StartAsync(configure: upstream.Attach);
        userId = await app.CreateUserAsync();
        await app.ConnectAsync(userId, "jared");

        using var answer = await app.Api.GetAsync(new Uri(path.Replace("{id}", userId, StringComparison.Ordinal), UriKind.Relative));

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadGateway, "basiq-unusable-answer");
    }

    [Fact]
    public async Task Half_a_character_in_an_answer_of_Basiq_is_passed_on_as_it_came()
    {
        const string User = """{"type":"user","id":"u","name":"half \ud800 a pair"}""";
        var upstream = new Upstream((call, body) => call.StartsWith("GET /users/", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(User) : body);
        await using var app = await AppUnderTest.StartAsync(configure: upstream.Attach);
        var userId = await app.CreateUserAsync();

        using var answer = await app.Api.GetAsync(new Uri($"users/{userId}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(User, await answer.Content.ReadAsStringAsync());
    }

    private static byte[] WithNext(byte[] body, string next)
    {
        var page = JsonNode.Parse(body)!.AsObject();
        page["links"] = new JsonObject { ["next"] = next };
        return JsonSerializer.SerializeToUtf8Bytes(page);
    }

    /// <summary>Puts a byte into the first name that no UTF-8 has.</summary>
    private static byte[] Spoil(byte[] body)
    {
        var at = body.AsSpan().IndexOf("\"id\":\""u8) + 6;
        Assert.True(at > 6);
        var name = body.AsSpan().IndexOf("ame\":\""u8) is var i && i >= 0 ? i + 6 : body.AsSpan().IndexOf("status\":\""u8) + 9;
        return [.. body[..name], 0xFF, .. body[name..]];
    }
}
