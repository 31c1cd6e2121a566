using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>What SetWebhookSubscription makes of subscriptions that Basiq has already, through the real client and the sandbox.</summary>
[Trait("Category", "Journeys")]
public sealed class SubscriptionTakeOverTests
{
    private const string Url = "https://app.example/api/webhooks/basiq";

    [Fact]
    public async Task A_subscription_of_the_URL_is_taken_over()
    {
        await using var app = await AppUnderTest.StartAsync();
        var theirs = await app.Services.GetRequiredService<IBasiqClient>().CreateWebhookAsync(Url, ["user.created"]);

        using var answer = await SetAsync(app);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var subscription = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(theirs.Id, subscription.GetProperty("webhookId").GetString());
        Assert.Contains("consent.revoked", subscription.GetProperty("events").EnumerateArray().Select(e => e.GetString()));
        using var taken = await app.SendWebhookAsync("m1", """{"eventId":"e"}""", theirs.Secret!);
        Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);
    }

    [Fact]
    public async Task A_subscription_that_has_an_event_of_the_app_s_is_named()
    {
        await using var app = await AppUnderTest.StartAsync();
        var theirs = await app.Services.GetRequiredService<IBasiqClient>()
            .CreateWebhookAsync("https://elsewhere.example/", ["user.created", "consent.revoked"]);

        using var answer = await SetAsync(app);

        Assert.Contains($"Subscription {theirs.Id} has consent.revoked.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.Conflict, "event-already-subscribed");
    }

    private static Task<HttpResponseMessage> SetAsync(AppUnderTest app) =>
        app.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = Url });
}
