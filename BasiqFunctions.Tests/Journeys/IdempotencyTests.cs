using System.Net;
using System.Net.Http.Json;
using System.Text;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Edges;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Sandbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Requests with an <c>Idempotency-Key</c> through the whole app.</summary>
[Trait("Category", "Journeys")]
public sealed class IdempotencyTests
{
    private const string Gavin = """{"email":"gavin@hooli.com","mobile":"+61410888666","firstName":"Gavin"}""";
    private const string Nelson = """{"email":"nelson@hooli.com"}""";

    [Fact]
    public async Task Fifty_creations_at_once_with_one_key_make_one_user_and_all_get_the_same_answer()
    {
        await using var app = await AppUnderTest.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => PostAsync(app.Api, "users", Gavin, "\"key-1\"")));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(HttpStatusCode.Created, answers[0].Status);
        Assert.Contains("gavin@hooli.com", answers[0].Body, StringComparison.Ordinal);
        Assert.Equal(1, await app.CountAsync("POST /users"));
    }

    [Fact]
    public async Task The_same_body_in_another_spelling_is_the_same_request_and_another_body_is_refused()
    {
        await using var app = await AppUnderTest.StartAsync();
        var first = await PostAsync(app.Api, "users", Gavin, "key-1");

        Assert.Equal(first, await PostAsync(
            app.Api, "users", """ { "firstName": "G\u0061vin", "lastName": null, "mobile": "+61410888666", "email": "gavin@hooli.com" } """, "key-1"));
        var other = await PostAsync(app.Api, "users", Nelson, "key-1");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
        Assert.Contains("\"code\":\"idempotency-key-reused\"", other.Body, StringComparison.Ordinal);
        Assert.Equal(1, await app.CountAsync("POST /users"));
    }

    [Fact]
    public async Task A_key_is_malformed_by_name_and_a_body_that_is_refused_uses_no_key_up()
    {
        await using var app = await AppUnderTest.StartAsync();

        var malformed = await PostAsync(app.Api, "users", Gavin, new string('k', 256));
        Assert.Equal(HttpStatusCode.BadRequest, malformed.Status);
        Assert.Contains("\"errors\":{\"Idempotency-Key\":", malformed.Body, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(app.Api, "users", """{"email":"none"}""", "key-1")).Status);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(app.Api, "users", Gavin, "key-1")).Status);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Gone)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.BadGateway)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task What_something_before_Basiq_answered_is_not_remembered(HttpStatusCode status)
    {
        var upstream = new Upstream((_, body) => body)
        {
            Instead = call => call.EndsWith("/jobs", StringComparison.Ordinal)
                ? new HttpResponseMessage(status) { Content = new StringContent("<html>Not Basiq</html>", Encoding.UTF8, "text/html") }
                : null,
        };
        await using var app = await AppUnderTest.StartAsync(["Basiq:MaxRetries=0"], configure: upstream.Attach);
        var userId = await app.CreateUserAsync();
        var job = Assert.Single(await app.ConnectAsync(userId, "gavinBelson"));
        var body = $$"""{"jobIds":["{{job}}"]}""";

        var refused = await PostAsync(app.Api, $"users/{userId}/syncs", body, "key-1");
        upstream.Instead = _ => null;
        var taken = await PostAsync(app.Api, $"users/{userId}/syncs", body, "key-1");

        Assert.False(refused.Status is HttpStatusCode.Accepted, refused.Body);
        Assert.Equal(HttpStatusCode.Accepted, taken.Status);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.NotFound)]
    public async Task A_creation_that_something_before_Basiq_refused_is_not_remembered_as_refused(HttpStatusCode status)
    {
        var upstream = new Upstream((_, body) => body)
        {
            Instead = call => call == "POST /users"
                ? new HttpResponseMessage(status) { Content = new StringContent("<html>Not Basiq</html>", Encoding.UTF8, "text/html") }
                : null,
        };
        await using var app = await AppUnderTest.StartAsync(configure: upstream.Attach);

        var refused = await PostAsync(app.Api, "users", Gavin, "key-1");
        upstream.Instead = _ => null;
        var again = await PostAsync(app.Api, "users", Gavin, "key-1");

        Assert.Equal(HttpStatusCode.BadGateway, refused.Status);
        Assert.True(
            again.Status is HttpStatusCode.Created || again.Body.Contains("\"code\":\"outcome-unknown\"", StringComparison.Ordinal), again.Body);
    }

    [Fact]
    public async Task The_answer_outlives_a_restart_and_a_change_of_the_user_but_neither_its_deletion_nor_24_hours()
    {
        using var state = new TemporaryDirectory();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 1, 0, TimeSpan.Zero));
        KeyedAnswer first;
        await using (var app = await AppUnderTest.StartAsync(clock: clock, state: state))
        {
            first = await PostAsync(app.Api, "users", Gavin, "key-1");
            using var changed = await app.Api.PatchAsJsonAsync(first.Location!["/api/".Length..], new { firstName = "Max" });
            Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        }

        Assert.DoesNotContain("hooli", StoredText(state), StringComparison.Ordinal);
        Assert.DoesNotContain("key-1", StoredText(state), StringComparison.Ordinal);
        await using var restarted = await AppUnderTest.StartAsync(clock: clock, state: state);
        Assert.Equal(first, await PostAsync(restarted.Api, "users", Gavin, "key-1"));

        clock.Advance(TimeSpan.FromHours(24));
        var second = await PostAsync(restarted.Api, "users", Gavin, "key-1");
        Assert.Equal(HttpStatusCode.Created, second.Status);
        Assert.NotEqual(first.Location, second.Location);

        using var deleted = await restarted.Api.DeleteAsync(new Uri(second.Location!["/api/".Length..], UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.DoesNotContain(second.Location!.Split('/')[^1], await RecordsOfAsync(restarted), StringComparison.Ordinal);
        var third = await PostAsync(restarted.Api, "users", Gavin, "key-1");
        Assert.NotEqual(second.Location, third.Location);
    }

    [Fact]
    public async Task A_sync_is_answered_again_as_at_first_although_it_has_ended()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "gavinBelson");
        var body = $$"""{"jobIds":["{{jobIds[0]}}"]}""";
        var first = await PostAsync(app.Api, $"users/{userId}/syncs", body, "key-1");
        Assert.Equal((HttpStatusCode.Accepted, "2"), (first.Status, first.RetryAfter));
        await app.WaitForSyncAsync(userId, first.Location!.Split('/')[^1]);

        Assert.Equal(first, await PostAsync(app.Api, $"users/{userId}/syncs", body, "key-1"));
        var other = await PostAsync(app.Api, $"users/{userId}/syncs", """{"jobIds":["another"]}""", "key-1");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
        var unknown = await PostAsync(app.Api, $"users/{userId}/syncs", """{"jobIds":["another"]}""", "key-2");
        Assert.Equal(HttpStatusCode.NotFound, unknown.Status);
        Assert.Equal(unknown, await PostAsync(app.Api, $"users/{userId}/syncs", """{"jobIds":["another"]}""", "key-2"));
    }

    [Fact]
    public async Task A_host_that_is_killed_while_it_creates_a_user_never_creates_it_twice()
    {
        using var state = new TemporaryDirectory();

        // The latency is of a clock that stands still: Basiq takes the request and never answers.
        await using var basiq = await SandboxHost.StartAsync(options => (options.Latency, options.FaultsUnder) = (TimeSpan.FromMinutes(10), "/users"));
        string[] settings = [$"Basiq:BaseUrl={basiq.BaseUrl}", $"Basiq:ApiKey={SandboxOptions.DefaultApiKey}"];
        using (var host = await LocalHostProcess.StartAsync([.. settings, $"LocalHost:StateDirectory={state.Path}"]))
        {
            var lost = PostAsync(host.Api, "users", Gavin, "key-1");
            await AppUnderTest.WaitForAsync(() => CreationsAsync(basiq), count => count == 1);
            host.Kill();
            await Assert.ThrowsAsync<HttpRequestException>(() => lost);
        }

        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await AppUnderTest.StartAsync(settings, clock, state: state);
        var meanwhile = await PostAsync(app.Api, "users", Gavin, "key-1");
        Assert.Equal((HttpStatusCode.Conflict, "2"), (meanwhile.Status, meanwhile.RetryAfter));
        clock.Advance(new IdempotencyOptions().Lease);
        var afterwards = await PostAsync(app.Api, "users", Gavin, "key-1");

        Assert.Equal(HttpStatusCode.GatewayTimeout, afterwards.Status);
        Assert.Contains("\"code\":\"outcome-unknown\"", afterwards.Body, StringComparison.Ordinal);
        Assert.Equal(afterwards, await PostAsync(app.Api, "users", Gavin, "key-1"));
        Assert.Equal(1, await CreationsAsync(basiq));
    }

    private static async Task<long> CreationsAsync(SandboxHost basiq)
    {
        using var client = new HttpClient { BaseAddress = new Uri(basiq.BaseUrl) };
        var stats = await client.GetFromJsonAsync<System.Text.Json.JsonElement>("_sandbox/stats");
        return stats.GetProperty("requests").TryGetProperty("POST /users", out var count) ? count.GetInt64() : 0;
    }

    private static async Task<KeyedAnswer> PostAsync(HttpClient api, string path, string json, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var answer = await api.SendAsync(request);
        return new KeyedAnswer(
            answer.StatusCode,
            answer.Headers.Location?.ToString(),
            answer.Headers.TryGetValues("Retry-After", out var retryAfter) ? Assert.Single(retryAfter) : null,
            answer.Content.Headers.ContentType?.ToString(),
            await answer.Content.ReadAsStringAsync());
    }

    private static async Task<string> RecordsOfAsync(AppUnderTest app)
    {
        var record = await app.Services.GetRequiredService<IdempotencyRecords>().FindAsync(IdempotencyKey.Parse("key-1")!.Id, default);
        return $"{record}";
    }

    private static string StoredText(TemporaryDirectory state)
    {
        var files = state.Files.Where(file => Path.GetFileName(file).StartsWith("records", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(files);
        return string.Concat(files.Select(file => File.ReadAllText(file, Encoding.Latin1)));
    }

    private sealed record KeyedAnswer(HttpStatusCode Status, string? Location, string? RetryAfter, string? ContentType, string Body);
}
