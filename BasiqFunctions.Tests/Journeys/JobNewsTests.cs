using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Sandbox;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>A sync that is told of what changes asks seldom, and is done at once.</summary>
public sealed class JobNewsTests
{
    [Fact]
    public async Task A_sync_of_a_job_of_a_minute_that_is_told_notices_the_end_at_once_and_polls_less_than_five_times()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:FirstPollDelay=00:00:02", "Sandbox:JobDuration=00:01:00"],
            clock,
            configure: services => services.AddSingleton<IJobNews, Expected>());
        await SubscribeAsync(app, receiver);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");
        var startedAt = clock.GetUtcNow();
        receiver.Received = _ => app.Services.GetRequiredService<Syncs>().WakeAsync(
            app.Services.GetRequiredService<DurableTaskClient>(), syncId, default);

        for (var third = 1; third <= 2; third++)
        {
            for (var second = 0; second < 20; second++)
                clock.Advance(TimeSpan.FromSeconds(1));
            var steps = third;
            await AppUnderTest.WaitForAsync(
                () => app.GetSyncAsync(userId, syncId), s => s.Jobs[0].Steps.Count(step => step.Status is "success") == steps);
        }

        for (var second = 0; second < 20; second++)
            clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
        Assert.Equal(TimeSpan.FromSeconds(60), clock.GetUtcNow() - startedAt);
        Assert.InRange(await app.CountAsync("GET /jobs/{jobId}"), 3, 4);
    }

    private static async Task SubscribeAsync(AppUnderTest app, WebhookReceiver receiver)
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        mint.Headers.TryAddWithoutValidation("Authorization", "Basic sandbox-api-key");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await app.Sandbox.SendAsync(mint);
        using var subscribe = new HttpRequestMessage(HttpMethod.Post, new Uri("notifications/webhooks", UriKind.Relative))
        {
            Content = JsonContent.Create(new
            {
                url = receiver.Url,
                subscribedEvents = (string[])["connection.activated", "account.updated", "transactions.updated"],
            }),
        };
        subscribe.Headers.Authorization = new("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
        using var subscribed = await app.Sandbox.SendAsync(subscribe);
        Assert.Equal(HttpStatusCode.Created, subscribed.StatusCode);
    }

    private sealed class Expected : IJobNews
    {
        public Task<bool> AreExpectedAsync(CancellationToken cancellation) => Task.FromResult(true);
    }
}
