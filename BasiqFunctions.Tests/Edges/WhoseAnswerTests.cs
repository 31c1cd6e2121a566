using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Edges;

/// <summary>
/// What the app's callers are told, and what becomes of people's data, when an answer is not the resource's: the key is refused, or
/// somebody else answers in Basiq's place.
/// </summary>
[Trait("Category", "Journeys")]
public sealed class WhoseAnswerTests
{
    private const string BankThatAsks = "AU90004";
    private const string OtherKey = "b3RoZXIta2V5LW9mLXRoaXMtdGVzdA==";

    private static readonly Person Nobody = new("", "", "", "", new Uri("/", UriKind.Relative));

    /// <summary>A request of each function that asks Basiq.</summary>
    private static readonly Dictionary<string, Func<Person, HttpRequestMessage>> Requests = new()
    {
        ["CreateUser"] = _ => Request(HttpMethod.Post, "users", new { email = "jared@hooli.com" }),
        ["GetUser"] = person => Request(HttpMethod.Get, $"users/{person.UserId}"),
        ["UpdateUser"] = person => Request(HttpMethod.Patch, $"users/{person.UserId}", new { firstName = "Gavin" }),
        ["CreateClientToken"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/client-token"),
        ["CreateConsentLink"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/consent-link", new { }),
        ["ConsentReturn"] = person => new(HttpMethod.Get, person.Back),
        ["CreateAuthLink"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/auth-link", new { }),
        ["StartSync"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/syncs", new { jobIds = new[] { "another-job" } }),
        ["AnswerMfa"] = person => Request(
            HttpMethod.Post, $"users/{person.UserId}/syncs/{person.WaitingSyncId}/mfa", AppUnderTest.MfaResponse("246810")),
        ["ListConnections"] = person => Request(HttpMethod.Get, $"users/{person.UserId}/connections?live=true"),
        ["RefreshConnections"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/refresh", new { force = true }),
        ["DeleteConnection"] = person => Request(HttpMethod.Delete, $"users/{person.UserId}/connections/{person.ConnectionId}"),
        ["ListConsents"] = person => Request(HttpMethod.Get, $"users/{person.UserId}/consents"),
        ["RevokeConsent"] = person => Request(HttpMethod.Delete, $"users/{person.UserId}/consents/{person.ConsentId}"),
        ["SetWebhookSubscription"] = _ => Request(
            HttpMethod.Put, "webhooks/basiq/subscription", new { url = "https://app.example/api/webhooks/basiq" }),
        ["GetWebhookSubscription"] = _ => Request(HttpMethod.Get, "webhooks/basiq/subscription"),
        ["CreateReport"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/reports", new { type = "affordability" }),
        ["ListIdentities"] = person => Request(HttpMethod.Get, $"users/{person.UserId}/identities"),
        ["MatchIdentity"] = person => Request(HttpMethod.Post, $"users/{person.UserId}/identities/match", new { name = "Gavin Belson" }),
        ["ListReportTypes"] = _ => Request(HttpMethod.Get, "report-types"),
        ["DeleteUser"] = person => Request(HttpMethod.Delete, $"users/{person.UserId}"),
    };

    // The list of banks serves on while Basiq is away: InstitutionTests have that. ConfirmRemoval asks Basiq about a pass that was held up, and
    // DeleteReport about a report: KeyInDoubtTests and AbsenceRemovalTests, and ReportTests, have one.
    [Fact]
    public void Every_function_that_asks_Basiq_is_tried() => Assert.Equal(
        from type in typeof(FailsWithAttribute).Assembly.GetExportedTypes()
        from method in type.GetMethods()
        where method.GetCustomAttribute<FailsWithAttribute>() is { AsksBasiq: true }
        orderby method.GetCustomAttribute<FunctionAttribute>()!.Name
        select method.GetCustomAttribute<FunctionAttribute>()!.Name,
        Requests.Keys.Concat(["ConfirmRemoval", "DeleteReport", "GetInstitution", "ListInstitutions"]).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData(404, "resource-not-found", "Unable to authenticate. Please, check your API key")]
    [InlineData(400, "parameter-not-valid", "Invalid authorization header")]
    [InlineData(403, "access-denied", "Account is disabled")]
    [InlineData(401, "unauthorized-access", "Unauthorized")]
    public async Task While_the_key_is_refused_nothing_is_not_found_and_nothing_goes_and_another_key_ends_it(int status, string code, string detail)
    {
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var person = await ConnectAsync(app);
        upstream.Instead = call => call == "POST /token"
            ? StubBasiq.Error((HttpStatusCode)status, code, detail)
            : new HttpResponseMessage(HttpStatusCode.Unauthorized);

        await EachAnswersAsync(app, person, HttpStatusCode.BadGateway, "basiq-refused");

        await NothingIsGoneAsync(app, person);
        using (var health = await app.Api.GetAsync(new Uri("health", UriKind.Relative)))
            Assert.Contains("api-key-refused", await health.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(1, app.Logs.Lines.Count(line => line.Contains("[1111]", StringComparison.Ordinal)));

        // Basiq takes the next key, and the app finds it in Key Vault.
        using var patched = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { ApiKey = OtherKey });
        patched.EnsureSuccessStatusCode();
        upstream.Instead = _ => null;
        await app.Services.GetRequiredService<SecretClient>().SetSecretAsync(SecretNames.ApiKey, OtherKey);
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                using var answer = await app.Api.SendAsync(Requests["CreateClientToken"](person));
                return answer.StatusCode;
            },
            status => status is HttpStatusCode.OK);
        await EverythingWorksAsync(app, person);
    }

    [Fact]
    public async Task Too_many_token_requests_are_told_with_the_time_to_wait_and_nothing_goes()
    {
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var person = await ConnectAsync(app);
        upstream.Instead = call => call == "POST /token"
            ? StubBasiq.Json(
                """{"type":"list","correlationId":"c","data":[{"type":"error","code":"forbidden-access","title":"Invalid request","detail":"Forbidden"}]}""",
                HttpStatusCode.Forbidden)
            : new HttpResponseMessage(HttpStatusCode.Unauthorized);

        await EachAnswersAsync(app, person, HttpStatusCode.ServiceUnavailable, "basiq-overloaded", waits: true);

        await NothingIsGoneAsync(app, person);
        upstream.Instead = _ => null;
        await EverythingWorksAsync(app, person);
    }

    /// <summary>A wrong path in Basiq:BaseUrl, a gateway that has lost its way or lets nobody through, a network that wants one to sign in.</summary>
    [Theory]
    [InlineData(404, "<html>Not Found</html>", "text/html", "basiq-unusable-answer")]
    [InlineData(410, """{"message":"gone"}""", "application/json", "basiq-unusable-answer")]
    [InlineData(200, "<html>Sign in</html>", "text/html", "basiq-unusable-answer")]
    [InlineData(403, "<html>Forbidden</html>", "text/html", "basiq-refused")]
    public async Task Somebody_elses_answers_say_nothing_of_people_and_nothing_goes(int status, string body, string type, string code)
    {
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var person = await ConnectAsync(app);
        upstream.Instead = _ => AnswerTests.Page((HttpStatusCode)status, body, type);

        // Whether a page stands for a user that was made, nobody knows.
        await EachAnswersAsync(app, person, HttpStatusCode.BadGateway, code, ofCreation: status == 200 ? "outcome-unknown" : code);

        await NothingIsGoneAsync(app, person);
        upstream.Instead = _ => null;
        await EverythingWorksAsync(app, person);
    }

    [Fact]
    public async Task A_sync_outlives_a_gateways_403_and_a_token_that_Basiq_calls_expired()
    {
        var once = new HashSet<string>();
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "jared");
        upstream.Instead = call => call.EndsWith("/accounts", StringComparison.Ordinal) && once.Add("accounts") ? AnswerTests.Page(HttpStatusCode.Forbidden)
            : call.EndsWith("/transactions", StringComparison.Ordinal) && once.Add("transactions") ? StubBasiq.Error(HttpStatusCode.Forbidden, "access-denied", "Token has expired")
            : null;

        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
        var sync = await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(2, once.Count);
        Assert.Equal(2, await app.CountAsync("POST /token SERVER_ACCESS"));
    }

    [Fact]
    public async Task A_sync_waits_for_a_key_that_is_refused_while_it_fetches()
    {
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "jared");
        var refused = 0;
        upstream.Instead = call =>
            call == "POST /token" && Volatile.Read(ref refused) > 0 ? StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found")
            : call.EndsWith("/transactions", StringComparison.Ordinal) && Interlocked.Increment(ref refused) > 0 ? new(HttpStatusCode.Unauthorized)
            : null;
        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
        var syncId = (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!;
        await AppUnderTest.WaitForAsync(() => Task.FromResult(app.Logs.Text), text => text.Contains("[1111]", StringComparison.Ordinal));

        Assert.Equal(SyncState.Fetching, (await app.GetSyncAsync(userId, syncId)).Status);
        using var patched = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { ApiKey = OtherKey });
        upstream.Instead = _ => null;
        await app.Services.GetRequiredService<SecretClient>().SetSecretAsync(SecretNames.ApiKey, OtherKey);

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
    }

    [Fact]
    public async Task Users_that_do_not_exist_are_told_as_such_by_all_that_need_a_token_of_theirs_and_harm_nobody()
    {
        var upstream = new Upstream((_, body) => body);
        await using var app = await StartAsync(upstream);
        var userId = await app.CreateUserAsync();
        var mints = await app.CountAsync("POST /token SERVER_ACCESS");

        for (var i = 0; i < 10; i++)
        {
            foreach (var path in new[] { "client-token", "consent-link", "auth-link" })
            {
                using var answer = await app.Api.PostAsJsonAsync($"users/{Guid.NewGuid()}/{path}", new { });
                await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.NotFound, "user-not-found");
            }
        }

        using var known = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        Assert.DoesNotContain("[1111]", app.Logs.Text, StringComparison.Ordinal);
        Assert.Equal(mints, await app.CountAsync("POST /token SERVER_ACCESS"));
    }

    private static Task<AppUnderTest> StartAsync(Upstream upstream) => AppUnderTest.StartAsync(
        ["Basiq:MaxRetries=1", "Sandbox:Webhooks=false", "Sandbox:TransactionsPerAccount=3", "Sandbox:MfaExpiry=01:00:00", "Sync:RetryDelay=00:00:00.5"],
        configure: upstream.Attach);

    /// <summary>Somebody with a bank whose accounts are here, one that asks for a code, and one just connected.</summary>
    private static async Task<Person> ConnectAsync(AppUnderTest app)
    {
        var userId = await app.CreateUserAsync();
        var fetched = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        Assert.Equal(SyncState.Completed, fetched.Status);
        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(userId), "richard");
        using var subscribed = await app.Api.SendAsync(Requests["SetWebhookSubscription"](Nobody));
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        app.Bank = BankThatAsks;
        var waiting = await app.ConsentAndReturnAsync(userId, "gavinBelson");
        await AppUnderTest.WaitForAsync(
            () => app.GetSyncAsync(userId, waiting), sync => sync.Jobs.Any(job => job.Steps.Any(step => step.Challenge is not null)));
        var consents = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");
        return new Person(
            userId, fetched.Jobs[0].ConnectionId!, consents.GetProperty("consents")[0].GetProperty("id").GetString()!, waiting, back);
    }

    private static async Task EachAnswersAsync(
        AppUnderTest app, Person person, HttpStatusCode status, string code, bool waits = false, string? ofCreation = null)
    {
        foreach (var (function, request) in Requests)
        {
            // The removal of a user stops the syncs first.
            if (function == "DeleteUser")
                Assert.Equal(SyncState.WaitingForBank, (await app.GetSyncAsync(person.UserId, person.WaitingSyncId)).Status);
            using var answer = await app.Api.SendAsync(request(person));
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == status, $"{function}: expected {status}, got {answer.StatusCode}: {body}");
            var expected = function == "CreateUser" ? ofCreation ?? code : code;
            Assert.Equal((function, expected), (function, JsonElement.Parse(body).GetProperty("code").GetString()));
            Assert.Equal(waits, answer.Headers.RetryAfter is not null);
        }
    }

    private static async Task NothingIsGoneAsync(AppUnderTest app, Person person)
    {
        var accounts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{person.UserId}/accounts");
        Assert.Contains(accounts.GetProperty("accounts").EnumerateArray(), a => a.GetProperty("connection").GetString() == person.ConnectionId);
        var receipts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{person.UserId}/deletion-receipts");
        Assert.Equal(0, receipts.GetProperty("receipts").GetArrayLength());
    }

    private static async Task EverythingWorksAsync(AppUnderTest app, Person person)
    {
        foreach (var function in new[] { "GetUser", "CreateConsentLink", "ConsentReturn", "ListConnections", "DeleteConnection", "DeleteUser" })
        {
            using var answer = await app.Api.SendAsync(Requests[function](person));
            Assert.True((int)answer.StatusCode < 300, $"{function}: {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, object? body = null) =>
        new(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };

    private sealed record Person(string UserId, string ConnectionId, string ConsentId, string WaitingSyncId, Uri Back);
}
