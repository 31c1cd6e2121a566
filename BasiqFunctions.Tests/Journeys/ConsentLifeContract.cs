using System.Net;
using BasiqFunctions.Tests.Hosting;
using static BasiqFunctions.Tests.Journeys.ConsentLifeTests;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>A consent is revoked at Basiq, and what was stored under it is gone, wherever that was.</summary>
public abstract class ConsentLifeContract
{
    [SkippableFact]
    public async Task With_webhooks_data_whose_consent_was_revoked_at_Basiq_is_gone_at_once()
    {
        await using var app = await StartAsync();
        await app.SubscribeAsync();
        var userId = await UserWithDataAsync(app, kept: KeptOfAsync);
        var kept = await UserWithDataAsync(app, kept: KeptOfAsync);
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);

        await RevokeOnManagePageAsync(app, userId, consentId);

        await WaitForGoneAsync(app, userId);
        await AssertGoneAsync(app, userId, "consent-revoked", consentId, KeptOfAsync);
        using var others = await app.Api.GetAsync(new Uri($"users/{kept}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
        Assert.NotEmpty(await KeptOfAsync(app, kept));
    }

    [SkippableFact]
    public async Task Without_webhooks_data_whose_consent_was_revoked_at_Basiq_is_gone_at_the_next_daily_run()
    {
        var clock = StandingClock.New();
        await using var app = await StartAsync(clock, "Sandbox:Webhooks=false");
        var userId = await UserWithDataAsync(app, () => clock.Advance(TimeSpan.FromMilliseconds(100)), KeptOfAsync);
        var kept = await UserWithDataAsync(app, () => clock.Advance(TimeSpan.FromMilliseconds(100)), KeptOfAsync);
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);

        await RevokeOnManagePageAsync(app, userId, consentId);
        using (var still = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.OK, still.StatusCode);

        clock.Advance(TimeSpan.FromDays(1));
        await WaitForGoneAsync(app, userId);
        await AssertGoneAsync(app, userId, "consent-revoked", consentId, KeptOfAsync);
        using var others = await app.Api.GetAsync(new Uri($"users/{kept}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
        Assert.NotEmpty(await KeptOfAsync(app, kept));
    }

    /// <summary>What makes the app store where this is about.</summary>
    protected abstract string[] Settings();

    /// <inheritdoc cref="KeptOfUser"/>
    private protected abstract Task<string[]> KeptOfAsync(AppUnderTest app, string userId);

    private Task<AppUnderTest> StartAsync(TimeProvider? clock = null, params string[] settings) =>
        AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:00", .. settings, .. Settings()], clock);
}
