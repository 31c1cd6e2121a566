using System.Net;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Basiq;

[Trait("Category", "Unit")]
public sealed class RequestTests
{
    [Fact]
    public async Task Every_call_goes_to_its_endpoint_with_the_server_token()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (request, _, _) => Task.FromResult(request.Method == "DELETE"
            ? new(HttpStatusCode.NoContent)
            : StubBasiq.Json("""{"type":"list","id":"j1","data":[]}"""));
        var client = test.Client;

        await client.CreateUserAsync(new() { Mobile = "+61410888666", VerificationStatus = true, BusinessAddress = new() { Suburb = "Manly" } });
        await client.GetUserAsync(new("u/1"));
        await client.UpdateUserAsync(new("u1"), new() { FirstName = "Gavin" });
        await client.DeleteUserAsync(new("u1"));
        await client.GetJobAsync(new("j1"));
        await client.ListJobsAsync(new("u1"));
        await client.ListConnectionsAsync(new("u1"));
        await client.GetConnectionAsync(new("u1"), new("c1"));
        await client.DeleteConnectionAsync(new("u1"), new("c1"));
        await client.RefreshConnectionAsync(new("u1"), new("c1"));
        await client.ListConsentsAsync(new("u1"));
        await client.DeleteConsentAsync(new("u1"), "s1");
        await client.ListAccountsAsync(new("u1"));
        await client.GetAccountAsync(new("u1"), new("a1"));
        (await client.GetTransactionsPageAsync(new("u1"), BasiqFilter.AccountId(new("a1")).And(BasiqFilter.PostDateBetween(new(2024, 1, 1), new(2024, 6, 30))), 100)).Dispose();
        (await client.GetNextTransactionsPageAsync("https://basiq.test/users/u1/transactions?next=abc")).Dispose();
        (await client.GetNextTransactionsPageAsync("/users/u1/transactions?next=abc")).Dispose();

        Assert.Equal(
            [
                "POST /users",
                "GET /users/u%2F1",
                "POST /users/u1",
                "DELETE /users/u1",
                "GET /jobs/j1",
                "GET /users/u1/jobs",
                "GET /users/u1/connections",
                "GET /users/u1/connections/c1",
                "DELETE /users/u1/connections/c1",
                "POST /users/u1/connections/c1/refresh",
                "GET /users/u1/consents",
                "DELETE /users/u1/consents/s1",
                "GET /users/u1/accounts",
                "GET /users/u1/accounts/a1",
                "GET /users/u1/transactions?limit=100&filter=account.id.eq%28%27a1%27%29%2C"
                    + "transaction.postDate.bt%28%272024-01-01%27%2C%272024-06-30%27%29",
                "GET /users/u1/transactions?next=abc",
                "GET /users/u1/transactions?next=abc",
            ],
            test.Basiq.Calls.Select(call => $"{call.Method} {call.PathAndQuery}"));
        Assert.All(test.Basiq.Calls, call => Assert.Equal("Bearer server-token-1", call.Authorization));
        Assert.Equal(
            """{"mobile":"+61410888666","businessAddress":{"suburb":"Manly"},"verificationStatus":true}""",
            test.Basiq.Calls[0].Body.Replace("\\u002B", "+", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_token_is_asked_for_with_the_key_as_issued()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(StubBasiq.TokenJson("client-token")));

        var token = await test.Client.CreateClientTokenAsync(new("u&1"));

        Assert.Equal(("client-token", "Bearer", 3600), (token.AccessToken, token.TokenType, token.ExpiresIn));
        var request = Assert.Single(test.Basiq.Calls);
        Assert.Equal(("POST", "/token", "3.0"), (request.Method, request.PathAndQuery, request.Version));
        Assert.Equal("scope=CLIENT_ACCESS&userId=u%261", request.Body);
        Assert.Equal($"Basic {ClientUnderTest.SettingKey}", request.Authorization);
        Assert.Empty(test.Basiq.Mints);
    }

    [Theory]
    [InlineData("https://evil.test/users/u1/transactions?next=a")]
    [InlineData("http://basiq.test/users/u1/transactions?next=a")]
    [InlineData("https://basiq.test:444/users/u1/transactions?next=a")]
    [InlineData("https://basiq.test@evil.test/users/u1/transactions")]
    [InlineData("https://user@basiq.test/users/u1/transactions")]
    [InlineData("https://basiq.test.evil.test/users/u1/transactions")]
    [InlineData("//evil.test/users/u1/transactions")]
    [InlineData("\\\\evil.test\\users")]
    [InlineData("file:///etc/hosts")]
    [InlineData("https://")]
    public async Task A_next_link_that_leads_elsewhere_is_not_followed(string link)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json("""{"data":[]}"""));

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetNextTransactionsPageAsync(link));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, BasiqFailure.ForeignLinkCode), (exception.Failure.Kind, exception.Failure.Code));
        Assert.Empty(test.Basiq.Calls);
    }

    [Theory]
    [InlineData("https://evil.test/events?next=a")]
    [InlineData("https://basiq.test@evil.test/events?next=a")]
    public async Task A_next_page_of_events_that_is_elsewhere_is_not_asked_for(string link)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json("""{"data":[]}"""));

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.ListEventsAsync(nextLink: link));

        Assert.Equal(BasiqFailure.ForeignLinkCode, exception.Failure.Code);
        Assert.Empty(test.Basiq.Calls);
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    public async Task An_id_that_would_mean_another_path_is_refused(string id)
    {
        await using var test = new ClientUnderTest();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => test.Client.DeleteUserAsync(new(id)));
        Assert.Empty(test.Basiq.Calls);
    }

    [Theory]
    [InlineData("""{"type":"list","data":[{"type":"job","id":"j1"},{"type":"job","id":"j2"}]}""", new[] { "j1", "j2" })]
    [InlineData("""{"type":"job","id":"j1","links":{"self":"x"}}""", new[] { "j1" })]
    [InlineData("""{"type":"list","data":[]}""", new string[0])]
    public async Task A_refresh_gives_the_ids_of_its_jobs(string body, string[] jobIds)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(body, HttpStatusCode.Accepted));

        Assert.Equal(jobIds, (await test.Client.RefreshConnectionAsync(new("u1"), new("c1"))).Select(id => id.Value));
    }

    [Fact]
    public async Task Unknown_fields_survive_a_round_trip()
    {
        const string Account = """{"zeta":[1,{"a":null}],"id":"a1","balance":null,"availableFunds":"10.00","creditLimit":1234567890.120,"class":{"type":"savings","new":1e2}}""";
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json($$"""{"type":"list","data":[{{Account}}]}"""));

        var account = BasiqFunctions.Basiq.Models.Account.From(Assert.Single(await test.Client.ListAccountsAsync(new("u1"))));

        Assert.Equal("a1", account.Id);
        Assert.Null(account.Balance);
        Assert.Equal(("10.00", "1234567890.120", "savings"), (account.AvailableFunds, account.CreditLimit, account.ClassType));
        Assert.Equal(Account, JsonSerializer.Serialize(account));
        Assert.Equal(Account, JsonSerializer.Serialize(account, JsonSerializerOptions.Web));
        Assert.Equal(Account, JsonSerializer.Serialize(JsonSerializer.Deserialize<Account>(Account)));
        Assert.Equal("Account a1", account.ToString());
    }

    [Fact]
    public void A_job_keeps_titles_that_are_not_known()
    {
        const string Json = """{"id":"j1","steps":[{"title":"verify-moon","status":"success","phase":7,"result":{"type":"link","url":"/x","hint":"y"}}],"links":{"self":"s","more":"m"},"partnerId":"p"}""";

        var step = Assert.Single(JsonSerializer.Deserialize(Json, BasiqJson.Default.Job)!.Steps);

        Assert.Equal(("verify-moon", "success", "/x"), (step.Title, step.Status, step.Result?.Url));
    }

    [Theory]
    [InlineData("""{"id":"j"}""", JobOutcome.Pending)]
    [InlineData("""{"id":"j","steps":[]}""", JobOutcome.Pending)]
    [InlineData("""{"id":"j","steps":[{"status":"pending"},{"status":"pending"}]}""", JobOutcome.Pending)]
    [InlineData("""{"id":"j","steps":[{"status":"in-progress"},{"status":"pending"}]}""", JobOutcome.InProgress)]
    [InlineData("""{"id":"j","steps":[{"status":"success"},{"status":"pending"}]}""", JobOutcome.InProgress)]
    [InlineData("""{"id":"j","steps":[{"status":"success"},{"status":"strange"}]}""", JobOutcome.InProgress)]
    [InlineData("""{"id":"j","steps":[{"status":"success"},{"status":"success"}]}""", JobOutcome.Succeeded)]
    [InlineData("""{"id":"j","steps":[{"status":"success"},{"status":"failed"},{"status":"pending"}]}""", JobOutcome.Failed)]
    public void A_jobs_outcome_follows_from_its_steps(string json, JobOutcome outcome) =>
        Assert.Equal(outcome, JsonSerializer.Deserialize(json, BasiqJson.Default.Job)!.Outcome);

    [Theory]
    [InlineData("""{"id":"j","links":{"source":"https://au-api.basiq.io/users/u1/connections/c1"}}""", "u1", "c1")]
    [InlineData("""{"id":"j","steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u1/connections/c1"}}]}""", "u1", "c1")]
    [InlineData("""{"id":"j","links":{"source":""},"steps":[{"status":"success","result":{"url":"/users/u1/connections/c1"}}]}""", "u1", "c1")]
    [InlineData("""{"id":"j","links":{"source":"https://x/users/u1/accounts/c1"},"steps":[{"status":"pending","result":null}]}""", null, null)]
    [InlineData("""{"id":"j","links":{"source":"https://x/users/../connections/c1"}}""", null, null)]
    public void A_jobs_connection_is_read_from_its_links(string json, string? userId, string? connectionId)
    {
        var job = JsonSerializer.Deserialize(json, BasiqJson.Default.Job)!;

        Assert.Equal((userId, connectionId), (job.UserId, job.ConnectionId));
    }

    [Fact]
    public void A_page_gives_each_transactions_own_bytes_and_the_fields_to_store_it_by()
    {
        const string First = """{"nested":{"id":"no"},"id":"t1","status":"posted","amount":"-123.45","postDate":"2024-02-29T00:00:00Z","transactionDate":null,"account":"a1"}""";
        const string Second = """{"status":"pending","id":"tA","postDate":"","transactionDate":"2024-03-01","account":7,"enrich":[[{"status":"x"}]]}""";
        using var page = TransactionsPage.Parse(Encoding.UTF8.GetBytes(
            $$"""{"type":"list","links":{"self":"s","other":{"next":"no"},"next":"https:\/\/basiq.test\/users?next=a\u0026b"}, "data": [ {{First}} ,{{Second}}],"size":2}"""));

        Assert.Equal("https://basiq.test/users?next=a&b", page.NextLink);
        Assert.Equal(2, page.Count);
        var (first, second) = (page.Items.Span[0], page.Items.Span[1]);
        Assert.Equal([First, Second], page.Items.ToArray().Select(item => Text(item.Json)));
        Assert.Equal(("t1", "a1", false, "2024-02-29T00:00:00Z"), (Text(first.Id), Text(first.AccountId), first.IsPending, Text(first.PostDate)));
        Assert.Equal(("tA", "", true, "2024-03-01"), (Text(second.Id), Text(second.AccountId), second.IsPending, Text(second.TransactionDate)));
    }

    [Theory]
    [InlineData("""{"next":7}""")]
    [InlineData("""{"next":false}""")]
    [InlineData("""{"next":{"href":"https://basiq.test/users"}}""")]
    [InlineData("""{"self":"s","next":["https://basiq.test/users"]}""")]
    [InlineData("[]")]
    [InlineData("\"https://basiq.test/users\"")]
    [InlineData("0")]
    public void A_page_that_cannot_tell_what_comes_next_is_no_page(string links) =>
        Assert.Throws<JsonException>(() => TransactionsPage.Parse(Encoding.UTF8.GetBytes($$"""{"links":{{links}},"data":[{"id":"t1"}]}""")));

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"next":null}""")]
    [InlineData("""{"next":""}""")]
    [InlineData("""{"self":["s"],"last":{"next":7}}""")]
    public void A_page_without_next_is_the_last(string links)
    {
        using var page = TransactionsPage.Parse(Encoding.UTF8.GetBytes($$"""{"data":[{"id":"t1"}],"links":{{links}}}"""));
        Assert.Equal((1, null), (page.Count, page.NextLink));
    }

    [Fact]
    public async Task A_page_stays_valid_until_it_is_disposed_and_not_after()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (_, before, _) => Task.FromResult(StubBasiq.Json($$"""{"data":[{"id":"t{{before}}"}]}"""));

        var page = await test.Client.GetTransactionsPageAsync(new("u1"));
        for (var i = 0; i < 20; i++)
            (await test.Client.GetTransactionsPageAsync(new("u1"))).Dispose();

        Assert.Equal("""{"id":"t0"}""", Text(page.Items.Span[0].Json));
        page.Dispose();
        page.Dispose();
        Assert.Throws<ObjectDisposedException>(() => page.Items);
    }

    [Fact]
    public void A_page_of_more_than_the_usual_size_is_read_whole()
    {
        var items = string.Join(',', Enumerable.Range(0, 1_300).Select(i => $$"""{"id":"t{{i}}"}"""));

        using var page = TransactionsPage.Parse(Encoding.UTF8.GetBytes($$"""{"data":[{{items}}]}"""));

        Assert.Equal(1_300, page.Count);
        Assert.Equal("t1299", Text(page.Items.Span[^1].Id));
        Assert.Null(page.NextLink);
    }

    [Theory]
    [InlineData("a'1")]
    [InlineData("a),x")]
    [InlineData("a\n")]
    [InlineData("")]
    public void A_filter_value_that_could_end_its_quotes_is_refused(string value) =>
        Assert.ThrowsAny<ArgumentException>(() => BasiqFilter.AccountId(new(value)));

    [Fact]
    public void A_date_range_the_wrong_way_round_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BasiqFilter.PostDateBetween(new(2024, 2, 1), new(2024, 1, 1)));

    [Theory]
    [InlineData("Basiq:BaseUrl", "nonsense")]
    [InlineData("Basiq:BaseUrl", "http://au-api.basiq.io")]
    [InlineData("Basiq:BaseUrl", "ftp://localhost")]
    [InlineData("Basiq:BaseUrl", "https://user:secret@basiq.test")]
    [InlineData("Basiq:ConsentUrl", "http://consent.basiq.io/home")]
    [InlineData("Basiq:ApiKey", "secret with\na line break")]
    [InlineData("Basiq:AttemptTimeout", "00:00:00")]
    [InlineData("Basiq:TotalTimeout", "00:00:01")]
    [InlineData("Basiq:MaxRetries", "-1")]
    [InlineData("Basiq:MaxRetryDelay", "00:00:00.1")]
    [InlineData("Basiq:MaxAnswerBytes", "1")]
    [InlineData("Basiq:MaxConcurrentCalls", "0")]
    [InlineData("Basiq:MaxTokenRequests", "1")]
    [InlineData("Basiq:MaxTokenRequests", "1501")]
    [InlineData("Basiq:TokenRequestWindow", "00:00:00")]
    [InlineData("Basiq:TokenRequestWindow", "00:04:00")]
    public void A_bad_setting_stops_the_app_with_its_name(string setting, string value)
    {
        using var services = Services(setting, value);

        var exception = Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains(setting, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:7072")]
    [InlineData("http://127.0.0.1:7072/")]
    [InlineData("http://[::1]:7072")]
    [InlineData("https://au-api.basiq.io")]
    public void Plain_http_is_taken_on_the_loopback_address(string url)
    {
        using var services = Services("Basiq:BaseUrl", url);

        services.GetRequiredService<IStartupValidator>().Validate();

        Assert.Equal(url, services.GetRequiredService<IOptions<BasiqOptions>>().Value.BaseUrl);
    }

    private static ServiceProvider Services(string setting, string value) =>
        new ServiceCollection()
            .AddSingleton<IRecordTables>(new MemoryRecordTables())
            .AddBasiqClient(new ConfigurationBuilder().AddInMemoryCollection([new(setting, value)]).Build())
            .BuildServiceProvider();

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
