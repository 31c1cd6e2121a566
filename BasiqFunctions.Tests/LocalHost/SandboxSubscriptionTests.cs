using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.LocalHost.Webhooks;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Journeys;
using BasiqFunctions.Tests.Sandbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.LocalHost;

/// <summary>LocalHost has its sandbox send webhooks, and nobody else.</summary>
[Trait("Category", "Journeys")]
public sealed class SandboxSubscriptionTests
{
    private const string On = "LocalHost:SubscribeToSandbox=true";
    private const string Creation = "POST /notifications/webhooks";
    private const string Change = "POST /notifications/webhooks/{webhookId}";

    [Fact]
    public async Task Revoked_on_the_manage_page_the_data_is_gone_with_nothing_done_by_hand()
    {
        await using var app = await AppUnderTest.StartAsync([On]);
        await SubscribedAsync(app);
        var userId = await ConsentLifeTests.UserWithDataAsync(app);
        var consentId = (await ConsentLifeTests.FromSandboxAsync(app, userId))[0].GetProperty("id").GetString()!;

        await ConsentLifeTests.RevokeOnManagePageAsync(app, userId, consentId);

        await ConsentLifeTests.WaitForGoneAsync(app, userId);
        await ConsentLifeTests.AssertGoneAsync(app, userId, "consent-revoked", consentId);
    }

    [Fact]
    public async Task A_restart_changes_nothing_and_another_port_moves_the_subscription()
    {
        using var state = new TemporaryDirectory();
        var address = $"urls=http://127.0.0.1:{FreePort.Find()}";
        string webhookId;
        await using (var app = await AppUnderTest.StartAsync([On, address], state: state))
            webhookId = await SubscribedAsync(app);

        await using (var again = await AppUnderTest.StartAsync([On, address], state: state))
        {
            await LoggedAsync(again, "Already subscribed");
            Assert.Equal((0, 0), (await again.CountAsync(Creation), await again.CountAsync(Change)));
            Assert.Equal(webhookId, await SubscribedAsync(again));
        }

        await using var moved = await AppUnderTest.StartAsync([On], state: state);
        Assert.Equal(webhookId, await SubscribedAsync(moved));
        Assert.Equal((0, 1), (await moved.CountAsync(Creation), await moved.CountAsync(Change)));
    }

    [Fact]
    public async Task A_subscription_that_somebody_made_for_another_machine_stays()
    {
        const string Elsewhere = "https://app.example/api/webhooks/basiq";
        using var state = new TemporaryDirectory();
        await using (var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"], state: state))
        {
            using var made = await app.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = Elsewhere });
            Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        }

        await using var again = await AppUnderTest.StartAsync([On, "Sandbox:Webhooks=false"], state: state);
        await LoggedAsync(again, "sends its webhooks to another machine");
        Assert.Equal(Elsewhere, (await SubscriptionAsync(again)).GetProperty("url").GetString());
    }

    [Fact]
    public async Task Switched_off_it_stays_off()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:SubscribeToSandbox=false"]);

        Assert.DoesNotContain(app.Services.GetServices<IHostedService>(), service => service is SandboxSubscription);
        using var none = await app.Api.GetAsync(new Uri("webhooks/basiq/subscription", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(none, HttpStatusCode.NotFound, "subscription-not-found");
    }

    [Fact]
    public async Task The_subscription_of_a_Basiq_account_is_left_alone()
    {
        await using var basiq = await SandboxHost.StartAsync();
        await using var app = await AppUnderTest.StartAsync([On, $"Basiq:BaseUrl={basiq.BaseUrl}", $"Basiq:ApiKey={SandboxOptions.DefaultApiKey}"]);

        Assert.DoesNotContain(app.Services.GetServices<IHostedService>(), service => service is SandboxSubscription);
        Assert.Equal(TimeSpan.FromSeconds(30), app.Services.GetRequiredService<IOptions<SyncOptions>>().Value.PollDelayWithNews);
    }

    [Fact]
    public async Task A_sandbox_that_refuses_is_a_line_in_the_log_and_the_host_goes_on()
    {
        await using var app = await AppUnderTest.StartAsync(
            [On, "Sandbox:ShareOf500=1", "Sandbox:FaultsUnder=/notifications", "Basiq:MaxRetries=0"]);

        await LoggedAsync(app, "Could not subscribe to the sandbox's webhooks: Unavailable");
        await app.CreateUserAsync();
    }

    [Fact]
    public async Task Jobs_of_the_sandbox_are_looked_at_often_all_the_same_unless_told_otherwise()
    {
        await using var app = await AppUnderTest.StartAsync([On]);
        Assert.Equal(TimeSpan.FromSeconds(2), app.Services.GetRequiredService<IOptions<SyncOptions>>().Value.PollDelayWithNews);
        await using var other = await AppUnderTest.StartAsync([On, "Sync:PollDelayWithNews=00:00:07"]);
        Assert.Equal(TimeSpan.FromSeconds(7), other.Services.GetRequiredService<IOptions<SyncOptions>>().Value.PollDelayWithNews);
    }

    /// <summary>Waits until the subscription is this host's, and returns its id.</summary>
    private static async Task<string> SubscribedAsync(AppUnderTest app)
    {
        var url = new Uri(app.Api.BaseAddress!, "webhooks/basiq").ToString();
        var found = await AppUnderTest.WaitForAsync(
            () => SubscriptionAsync(app), found => found.TryGetProperty("url", out var at) && at.GetString() == url);
        Assert.Equal("active", found.GetProperty("status").GetString());
        return found.GetProperty("webhookId").GetString()!;
    }

    private static async Task<JsonElement> SubscriptionAsync(AppUnderTest app)
    {
        using var answer = await app.Api.GetAsync(new Uri("webhooks/basiq/subscription", UriKind.Relative));
        return await AppUnderTest.ReadAsync(answer);
    }

    private static Task<string> LoggedAsync(AppUnderTest app, string words) => AppUnderTest.WaitForAsync(
        () => Task.FromResult(app.Logs.Text), text => text.Contains(words, StringComparison.Ordinal));
}
