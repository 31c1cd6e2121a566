using BasiqFunctions.Client;
using BasiqFunctions.Client.Models;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Client;

/// <summary>The typed client walks the whole journey, and repeats what may be repeated.</summary>
[Trait("Category", "Journeys")]
public sealed class ClientTests
{
    private static readonly Uri Nowhere = new("https://app.example.com/api");

    [Fact]
    public async Task The_whole_journey_is_made_with_it()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TransactionsPerAccount=700", "Sandbox:AccountsPerUser=2", "Reports:FirstPollDelay=00:00:00.05", "LocalHost:FunctionKey=a-key"]);
        await using var services = Services(app.Api.BaseAddress!, "a-key");
        var client = services.GetRequiredService<BasiqFunctionsClient>();

        var user = (await client.Users.PostAsync(
            new CreateUserRequest { Email = "gavin@hooli.com" }, request => request.Headers.Add("Idempotency-Key", "customer-1")))!;
        var bank = (await client.Institutions.GetAsync(request => request.QueryParameters.Q = "hooli"))!.Institutions!.Single();
        var link = (await client.Users[user.Id!].ConsentLink.PostAsync(new CreateConsentLinkRequest { InstitutionId = bank.Id }))!;
        using var answer = await app.Api.GetAsync(await app.ConsentAsync(new Uri(link.Url!), ["gavinBelson"]));
        var syncId = (await AppUnderTest.ReadAsync(answer)).GetProperty("syncId").GetString()!;
        SyncAnswer sync;
        do
            sync = (await client.Users[user.Id!].Syncs[syncId].GetAsync())!;
        while (sync.Status is SyncState.WaitingForBank or SyncState.Fetching);
        var accounts = (await client.Users[user.Id!].Accounts.GetAsync())!.Accounts!;

        // All pages, and no transaction twice.
        List<Transaction> transactions = [];
        foreach (var account in accounts)
            await foreach (var transaction in client.Users[user.Id!].Accounts[account.Id!].Transactions.ReadAllAsync(query => query.Limit = 500))
                transactions.Add(transaction);
        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(sync.Transactions, transactions.Select(transaction => transaction.Id).Distinct().Count());
        Assert.Equal(transactions.Count, await client.Users[user.Id!].Transactions.ReadAllAsync(query => query.Limit = 400).CountAsync());

        // The feed: everything once, and behind its cursor nothing.
        List<ChangesPageResult> pages = await client.ReadChangesAsync(user.Id!, pageLength: 500).ToListAsync();
        Assert.True(pages.Count > 1);
        Assert.Equal(transactions.Select(transaction => transaction.Id).Order(), pages.SelectMany(page => page.Changes!).Select(change => change.TransactionId).Order());
        Assert.Empty(Assert.Single(await client.ReadChangesAsync(user.Id!, pages[^1].NextCursor).ToListAsync()).Changes!);

        // Fresh needs no visit; a refresh that is forced is a sync.
        var spared = (await client.Users[user.Id!].Refresh.PostAsync(new RefreshConnectionsRequest()))!;
        Assert.Equal(("fresh", null), (spared.Status, spared.SyncId));
        var refreshed = (await client.Users[user.Id!].Refresh.PostAsync(new RefreshConnectionsRequest { Force = true }))!;
        Assert.StartsWith("sync-", refreshed.SyncId, StringComparison.Ordinal);

        var reportId = (await client.Users[user.Id!].Reports.PostAsync(new CreateReportRequest { Type = "affordability" }))!.ReportId!;
        await AppUnderTest.WaitForAsync(
            () => client.Users[user.Id!].Reports.GetAsync(), list => list!.Reports!.Single(report => report.ReportId == reportId).Status is ReportState.Ready);
        using var pdf = new StreamReader((await client.Users[user.Id!].Reports[reportId].GetPdfAsync())!);
        Assert.StartsWith("%PDF-", await pdf.ReadToEndAsync(), StringComparison.Ordinal);

        await client.Users[user.Id!].DeleteAsync();
        var gone = Assert.IsType<Problem>(await AppUnderTest.WaitForAsync(
            () => Record.ExceptionAsync(() => client.Users[user.Id!].GetAsync()), refused => refused is not null));
        Assert.Equal((404, "user-not-found"), (gone.ResponseStatusCode, gone.Code));
        Assert.Equal(gone.Detail, gone.Message);
    }

    [Fact]
    public async Task What_is_refused_names_its_fields()
    {
        await using var app = await AppUnderTest.StartAsync();
        await using var services = Services(app.Api.BaseAddress!);

        var refused = await Assert.ThrowsAsync<Problem>(
            () => services.GetRequiredService<BasiqFunctionsClient>().Users.PostAsync(new CreateUserRequest { Mobile = "0410" }));

        Assert.Equal((400, "invalid-input"), (refused.ResponseStatusCode, refused.Code));
        Assert.Contains("mobile", refused.Errors!.AdditionalData.Keys);
    }

    [Theory]
    [InlineData("GET", 503, null, 2)]
    [InlineData("GET", 429, "1", 2)]
    [InlineData("GET", 429, "3600", 1)]
    [InlineData("POST", 503, null, 1)]
    [InlineData("POST", 429, "0", 2)]
    [InlineData("POST with a key", 503, null, 2)]
    [InlineData("DELETE", 502, null, 2)]
    public async Task Only_what_is_safe_is_repeated_and_only_after_a_wait_that_is_short(string what, int status, string? retryAfter, int calls)
    {
        using var stub = new FailsOnce(status, retryAfter);
        await using var services = Services(Nowhere, handler: stub);
        var client = services.GetRequiredService<BasiqFunctionsClient>();

        var call = what switch
        {
            "GET" => client.Users["a"].GetAsync(),
            "DELETE" => client.Users["a"].DeleteAsync(),
            _ => (Task)client.Users.PostAsync(
                new CreateUserRequest { Email = "a@b.com" },
                request =>
                {
                    if (what is "POST with a key")
                        request.Headers.Add("Idempotency-Key", "k");
                }),
        };

        if (calls == 1)
            Assert.Equal("dependency-unavailable", (await Assert.ThrowsAsync<Problem>(() => call)).Code);
        else
            await call;
        Assert.Equal(calls, stub.Bodies.Count);
        Assert.Single(stub.Bodies.Distinct());
    }

    [Fact]
    public async Task A_key_goes_by_https_alone_unless_the_app_is_on_this_machine()
    {
        using var stub = new FailsOnce(200, null);
        await using var services = Services(new Uri("http://app.example.com/api"), "a-key", stub);

        await Assert.ThrowsAsync<ArgumentException>(() => services.GetRequiredService<BasiqFunctionsClient>().Users["a"].GetAsync());

        Assert.Empty(stub.Bodies);
    }

    [Fact]
    public async Task Its_own_time_out_leaves_the_app_the_time_to_answer_each_attempt()
    {
        await using var services = Services(Nowhere);

        using var http = services.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(BasiqFunctionsClient));

        // Five attempts at 150 s, Http:Deadline, and four waits of 30 s.
        Assert.InRange(http.Timeout, TimeSpan.FromSeconds((5 * 150) + (4 * 30)), TimeSpan.FromMinutes(20));
    }

    [Fact]
    public async Task A_redirect_takes_the_key_nowhere()
    {
        List<string> asked = [];
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        server.Run(context =>
        {
            asked.Add(context.Request.Path);
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });
        await server.StartAsync();
        await using var services = Services(new Uri(server.Urls.First()), "a-key");

        await Record.ExceptionAsync(() => services.GetRequiredService<BasiqFunctionsClient>().Users["a"].GetAsync());

        Assert.Equal(["/users/a"], asked);
    }

    [Fact]
    public void An_address_is_required() =>
        Assert.Contains(
            "BaseUrl is required",
            Assert.ThrowsAny<Exception>(() => new ServiceCollection().AddBasiqFunctionsClient(_ => { }).Services.BuildServiceProvider().GetRequiredService<BasiqFunctionsClient>()).Message,
            StringComparison.Ordinal);

    private static ServiceProvider Services(Uri api, string? key = null, HttpMessageHandler? handler = null)
    {
        var services = new ServiceCollection();
        var http = services.AddBasiqFunctionsClient(options => (options.BaseUrl, options.FunctionKey) = (api, key));
        if (handler is not null)
            http.ConfigurePrimaryHttpMessageHandler(() => handler);
        return services.BuildServiceProvider();
    }

    /// <summary>Refuses the first call and notes what came.</summary>
    private sealed class FailsOnce(int status, string? retryAfter) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
            var answer = new HttpResponseMessage(Bodies.Count == 1 ? (System.Net.HttpStatusCode)status : System.Net.HttpStatusCode.OK)
            {
                Content = new StringContent(
                    """{"code": "dependency-unavailable", "title": "t", "status": 503, "detail": "d", "id": "a"}""",
                    new System.Net.Http.Headers.MediaTypeHeaderValue(Bodies.Count == 1 ? "application/problem+json" : "application/json")),
            };
            if (retryAfter is not null)
                answer.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
            return answer;
        }
    }
}
