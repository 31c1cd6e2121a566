using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Basiq's API key is replaced while the app runs.</summary>
[Trait("Category", "Journeys")]
public sealed class KeyRotationTests
{
    [Fact]
    public async Task A_refused_key_shows_to_callers_and_in_health_until_another_one_is_in_Key_Vault()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(clock: clock);
        var userId = await app.CreateUserAsync();
        Assert.Equal(HttpStatusCode.OK, await ClientTokenAsync(app, userId));
        using var revoked = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { ApiKey = "the-key-of-tomorrow" });
        revoked.EnsureSuccessStatusCode();
        var before = await app.CountAsync("POST /token");

        for (var i = 0; i < 20; i++)
        {
            using var answer = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadGateway, "basiq-refused");
        }

        // One for the user at most, and one that names none: only that speaks for the key.
        Assert.InRange(await app.CountAsync("POST /token"), before + 1, before + 2);
        Assert.Equal(1, app.Logs.Lines.Count(line => line.Contains("[1111]", StringComparison.Ordinal)));
        Assert.InRange(app.Logs.Lines.Count(line => line.Contains("CreateClientToken answers", StringComparison.Ordinal)), 0, 1);
        Assert.Equal(("unhealthy", "api-key-refused"), await ServerTokenLineAsync(app));

        // The token in memory is good: whatever needs no other goes on.
        using var user = await app.Api.GetAsync(new Uri($"users/{userId}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, user.StatusCode);

        await app.Services.GetRequiredService<SecretClient>().SetSecretAsync(SecretNames.ApiKey, "the-key-of-tomorrow");
        clock.Advance(DependencyCheck.Freshness - TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, await ClientTokenAsync(app, userId));
        clock.Advance(DependencyCheck.Freshness);
        Assert.Equal("healthy", (await ServerTokenLineAsync(app)).Status);
        Assert.DoesNotContain("the-key-of-tomorrow", app.Logs.Text, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> ClientTokenAsync(AppUnderTest app, string userId)
    {
        using var answer = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
        return answer.StatusCode;
    }

    private static async Task<(string? Status, string? Detail)> ServerTokenLineAsync(AppUnderTest app)
    {
        using var answer = await app.Api.GetAsync(new Uri("health", UriKind.Relative));
        var line = (await AppUnderTest.ReadAsync(answer)).GetProperty("checks").EnumerateArray()
            .Single(check => check.GetProperty("name").GetString() == "server-token");
        return (
            line.GetProperty("status").GetString(),
            line.TryGetProperty("detail", out var detail) && detail.ValueKind is JsonValueKind.String ? detail.GetString() : null);
    }
}
