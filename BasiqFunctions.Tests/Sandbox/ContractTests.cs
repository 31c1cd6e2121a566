using System.Net;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class ContractTests
{
    /// <summary>
    /// Every other test of this folder has its answers checked too; this one makes sure that each endpoint and each kind of
    /// refusal has been.
    /// </summary>
    [SkippableFact]
    public async Task Each_answer_has_the_shape_that_Basiqs_OpenAPI_describes()
    {
        Skip.If(OpenApiContract.Instance is null, OpenApiContract.WhyMissing);
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("gavinBelson");
        await host.Connect(userId, "bighead");
        host.Clock.Advance(TimeSpan.FromSeconds(3));
        var connections = (await host.Get($"/users/{userId}/connections")).GetProperty("data");
        var connection = $"/users/{userId}/connections/{connections[0].GetProperty("id").GetString()}";
        var account = (await host.Accounts(userId))[0].GetProperty("id").GetString();
        var transaction = (await host.Transactions(userId))[0].GetProperty("id").GetString();
        var job = (await host.Get($"/users/{userId}/jobs")).GetProperty("data")[0].GetProperty("id").GetString();
        var consent = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString();
        await host.Get($"/users/{userId}");
        await host.Get(connection);
        await host.Get($"/users/{userId}/accounts/{account}");
        await host.Get($"/users/{userId}/transactions/{transaction}");
        await host.Get($"/jobs/{job}");
        var identity = (await host.Get($"/users/{userId}/identities")).GetProperty("data")[0].GetProperty("id").GetString();
        await host.Get($"/users/{userId}/identities/{identity}");
        await host.Error(HttpMethod.Get, $"/users/{userId}/identities/none", HttpStatusCode.NotFound);
        await host.Get("/reports/types");
        await host.Get("/reports/types/CON_AFFOR_01");
        await host.Error(HttpMethod.Get, "/reports/types/none", HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Post, "/reports", HttpStatusCode.BadRequest, new { reportType = "CON_AFFOR_01" });
        await host.Error(
            HttpMethod.Post, "/reports", HttpStatusCode.BadRequest, ReportTests.Order("CON_AFFOR_01", ("users", (string[])["a", "b", "c", "d", "e", "f"])));
        await host.Error(HttpMethod.Post, "/reports", HttpStatusCode.NotFound, ReportTests.Order("CON_AFFOR_01", ("users", (string[])["none"])));
        await host.Error(HttpMethod.Post, "/reports", HttpStatusCode.BadRequest, ReportTests.Order("CON_AFFOR_01", ("users", (string[])[userId])));
        foreach (var order in (object[])
            [await ReportTests.AffordabilityAsync(host, userId), ReportTests.Order("STATEMENT_01", ("fromDate", "2026-01-01"), ("account", account!), ("user", userId))])
        {
            var made = (await host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, order)).GetProperty("id").GetString();
            await host.Get($"/jobs/{made}");
            host.Clock.Advance(TimeSpan.FromSeconds(6));
            var report = (await host.Get($"/jobs/{made}")).GetProperty("links").GetProperty("source").GetString()!;
            await host.Get(report);
            await host.Get($"{report}/transactions");
            await host.Get("/reports");
            await host.Send(HttpMethod.Delete, report, HttpStatusCode.NoContent);
            await host.Error(HttpMethod.Get, report, HttpStatusCode.NotFound);
        }

        await host.Send(HttpMethod.Post, $"{connection}/refresh", HttpStatusCode.Accepted);
        await host.Send(HttpMethod.Post, $"{connection}/refresh", HttpStatusCode.OK);
        await host.Send(HttpMethod.Post, $"/users/{userId}/connections/refresh", HttpStatusCode.Accepted);
        await host.Send(HttpMethod.Post, $"/users/{userId}", HttpStatusCode.OK, new { mobile = "+61410000000" });
        await host.Send(HttpMethod.Post, $"/users/{userId}/auth_link", HttpStatusCode.Created);
        await host.Get($"/users/{userId}/auth_link");
        await host.Send(HttpMethod.Delete, $"/users/{userId}/auth_link", HttpStatusCode.NoContent);
        await host.Error(HttpMethod.Post, "/users", HttpStatusCode.BadRequest, new { });
        await host.Error(HttpMethod.Get, $"/users/{userId}/transactions?limit=0", HttpStatusCode.BadRequest);
        await host.Get("/events");
        await host.Get("/events/types");
        await host.Get("/events/types/consent.revoked");
        await host.Error(HttpMethod.Get, "/events/none", HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Get, "/events/types/none", HttpStatusCode.NotFound);
        await host.Get($"/events/{(await host.Get("/events")).GetProperty("data")[0].GetProperty("id").GetString()}");
        const string Webhooks = "/notifications/webhooks";
        await host.Error(HttpMethod.Post, Webhooks, HttpStatusCode.BadRequest, new { name = "no url" });
        await host.Error(HttpMethod.Post, "/notifications/messages/test", HttpStatusCode.BadRequest, new { eventTypeId = "user.created" });
        var subscription = new { url = "http://127.0.0.1:1/", subscribedEvents = (string[])["user.created"] };
        var webhook = $"{Webhooks}/{(await host.Send(HttpMethod.Post, Webhooks, HttpStatusCode.Created, subscription)).GetProperty("id").GetString()}";
        await host.Error(HttpMethod.Post, Webhooks, HttpStatusCode.Conflict, subscription);
        await host.Send(HttpMethod.Post, webhook, HttpStatusCode.OK, subscription);
        await host.Get(Webhooks);
        await host.Get(webhook);
        await host.Send(HttpMethod.Post, "/notifications/messages/test", HttpStatusCode.Created, new { eventTypeId = "user.created" });
        var message = (await host.Get($"{webhook}/messages")).GetProperty("data")[0].GetProperty("id").GetString();
        await host.Get($"{webhook}/messages/{message}");
        await host.Error(HttpMethod.Get, $"{webhook}/messages/none", HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Get, $"{Webhooks}/none", HttpStatusCode.BadRequest);
        await host.Send(HttpMethod.Delete, webhook, HttpStatusCode.NoContent);
        await host.Error(HttpMethod.Get, webhook, HttpStatusCode.NotFound);
        var asked = await host.Connect(userId, "jared", "AU90004");
        host.Clock.Advance(TimeSpan.FromSeconds(2));
        await host.Get($"/jobs/{asked}");
        await host.Get($"/users/{userId}/jobs");
        await host.Error(HttpMethod.Post, $"/jobs/{asked}/mfa", HttpStatusCode.BadRequest, new Dictionary<string, string[]> { ["mfa-response"] = ["0"] });
        await host.Send(
            HttpMethod.Post, $"/jobs/{asked}/mfa", HttpStatusCode.Accepted, new Dictionary<string, string[]> { ["mfa-response"] = ["246810"] });
        await host.Get($"/jobs/{asked}");
        await host.SetOptions(new { shareOf500 = 1 });
        foreach (var path in (string[])["", "/accounts", "/transactions", "/connections", "/jobs", "/consents"])
            await host.Error(HttpMethod.Get, $"/users/{userId}{path}", HttpStatusCode.InternalServerError);
        await host.SetOptions(new { shareOf500 = 0, shareOf429 = 1 });
        await host.Error(HttpMethod.Get, $"/users/{userId}/accounts", HttpStatusCode.TooManyRequests);
        await host.SetOptions(new { shareOf429 = 0 });
        await host.Get("/connectors");
        await host.Get("/connectors/AU90001/openbanking");
        await host.Error(HttpMethod.Get, "/connectors?filter=none", HttpStatusCode.BadRequest);
        await host.Error(HttpMethod.Get, "/connectors/AU12345/web", HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Post, $"/users/{userId}/statements", HttpStatusCode.BadRequest);
        using var statement = new MultipartFormDataContent
        {
            { new StringContent("AU90001"), "institutionId" },
            { new ByteArrayContent([1]), "statement", "jared.csv" },
        };
        using var uploaded = await host.Http.PostAsync($"/users/{userId}/statements", statement);
        Assert.Equal(HttpStatusCode.Accepted, uploaded.StatusCode);
        await host.Get($"/users/{userId}/jobs");
        await host.Send(HttpMethod.Post, $"{connection}/purge", HttpStatusCode.NoContent);
        await host.SetOptions(new { oddAnswers = new Dictionary<string, double> { ["unavailable"] = 1 } });
        await host.Error(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.ServiceUnavailable);
        await host.SetOptions(new { oddAnswers = new { } });
        await host.Token("SERVER_ACCESS", key: "none");
        await host.Token("SERVER_ACCESS", version: null);
        await host.SetOptions(new { disabledAccount = true });
        await host.Token("SERVER_ACCESS");
        await host.Send(HttpMethod.Delete, $"/users/{userId}/consents/{consent}", HttpStatusCode.NoContent);
        await host.Send(HttpMethod.Delete, connection, HttpStatusCode.NoContent);
        await host.Send(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NoContent);
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Error(HttpMethod.Get, $"/users/{userId}/accounts", HttpStatusCode.Forbidden);
        host.Http.DefaultRequestHeaders.Authorization = null;
        await host.Error(HttpMethod.Get, $"/users/{userId}/accounts", HttpStatusCode.Unauthorized);

        string[] expected =
        [
            "DELETE /notifications/webhooks/{webhookId} 204",
            "DELETE /reports/{id} 204",
            "DELETE /users/{userId} 204",
            "DELETE /users/{userId}/auth_link 204",
            "DELETE /users/{userId}/connections/{connectionId} 204",
            "DELETE /users/{userId}/consents/{consentId} 204",
            "DELETE /users/{userId} 503",
            "GET /connectors 200",
            "GET /connectors 400",
            "GET /connectors/{connectorId}/{method} 200",
            "GET /connectors/{connectorId}/{method} 404",
            "GET /events 200",
            "GET /events/types 200",
            "GET /events/types/{id} 200",
            "GET /events/{id} 200",
            "GET /jobs/{jobId} 200",
            "GET /notifications/webhooks 200",
            "GET /notifications/webhooks/{webhookId} 200",
            "GET /notifications/webhooks/{webhookId}/messages 200",
            "GET /notifications/webhooks/{webhookId}/messages/{messageId} 200",
            "GET /reports 200",
            "GET /reports/types 200",
            "GET /reports/types/{reportTypeId} 200",
            "GET /reports/types/{reportTypeId} 404",
            "GET /reports/{id} 200",
            "GET /reports/{id} 404",
            "GET /reports/{reportId}/transactions 200",
            "GET /users/{userId} 200",
            "GET /users/{userId}/accounts 200",
            "GET /users/{userId}/accounts 401",
            "GET /users/{userId}/accounts 403",
            "GET /users/{userId}/accounts 429",
            "GET /users/{userId}/accounts 500",
            "GET /users/{userId}/accounts/{accountId} 200",
            "GET /users/{userId}/auth_link 200",
            "GET /users/{userId}/connections 200",
            "GET /users/{userId}/connections/{connectionId} 200",
            "GET /users/{userId}/consents 200",
            "GET /users/{userId}/identities 200",
            "GET /users/{userId}/identities/{identityId} 200",
            "GET /users/{userId}/identities/{identityId} 404",
            "GET /users/{userId}/jobs 200",
            "GET /users/{userId}/transactions 200",
            "GET /users/{userId}/transactions/{transactionId} 200",
            "POST /jobs/{jobId}/mfa 202",
            "POST /notifications/messages/test 201",
            "POST /notifications/webhooks 201",
            "POST /notifications/webhooks/{webhookId} 200",
            "POST /reports 202",
            "POST /reports 400",
            "POST /reports 404",
            "POST /token 200",
            "POST /token 400",
            "POST /token 403",
            "POST /token 404",
            "POST /users 201",
            "POST /users 400",
            "POST /users/{userId} 200",
            "POST /users/{userId}/auth_link 201",
            "POST /users/{userId}/connections/refresh 202",
            "POST /users/{userId}/connections/{connectionId}/purge 204",
            "POST /users/{userId}/connections/{connectionId}/refresh 200",
            "POST /users/{userId}/connections/{connectionId}/refresh 202",
            "POST /users/{userId}/statements 202",
            "POST /users/{userId}/statements 400",
        ];
        Assert.Empty(expected.Except(host.Seen.Keys));
    }

    [SkippableFact]
    public async Task The_check_itself_finds_what_is_missing_or_of_the_wrong_kind()
    {
        Skip.If(OpenApiContract.Instance is null, OpenApiContract.WhyMissing);
        var contract = OpenApiContract.Instance;
        Assert.NotEmpty(await contract.Check(
            "GET", "/users/{userId}/accounts", HttpStatusCode.OK, """{"type":"list","data":[{"type":"account"}],"links":{"self":""}}"""));
        Assert.NotEmpty(await contract.Check("POST", "/token", HttpStatusCode.OK, """{"access_token":1,"token_type":"Bearer","expires_in":1}"""));
        Assert.NotEmpty(await contract.Check(
            "GET", "/jobs/{jobId}", HttpStatusCode.NotFound, """{"type":"list","correlationId":"c","data":[{"type":"error","code":"gone"}]}"""));
        const string Gone = """{"type":"list","correlationId":"c","data":[{"type":"error","code":"resource-not-found","title":"t","detail":"d"}]}""";
        Assert.Empty(await contract.Check("POST", "/token", HttpStatusCode.NotFound, Gone));
        Assert.NotEmpty(await contract.Check("POST", "/token", HttpStatusCode.NotFound, Gone.Replace("\"d\"", "\"\"", StringComparison.Ordinal)));
        Assert.NotEmpty(await contract.Check("POST", "/token", HttpStatusCode.Gone, Gone));
        Assert.Equal("/users/{userId}/connections/refresh", contract.TemplateOf("/users/u/connections/refresh"));
    }
}
