using System.Text.Json;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Vault;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>The whole app with a Key Vault over HTTPS that goes away.</summary>
[Trait("Category", "Journeys")]
public sealed class KeyVaultOutageTests
{
    private const int Minutes = 11;
    private const int SyncsPerMinute = 4;

    [Fact]
    public async Task With_Key_Vault_gone_for_ten_minutes_under_load_no_sync_fails()
    {
        // Right after RefreshServerToken's run of the full hour: the next is due when all this is over.
        var now = DateTimeOffset.UtcNow;
        var clock = new FakeTimeProvider(new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 1, TimeSpan.Zero));
        await using var vault = await KeyVaultServer.StartAsync(clock);
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TokenLifetime=00:06:00", "Sandbox:JobDuration=00:00:20", "Sync:FirstPollDelay=00:00:02"],
            clock,
            configure: services => services.AddSingleton(vault.CreateClient()));
        var syncs = new List<(string UserId, string SyncId)> { await StartSyncAsync(app, 0) };
        await LetTimePassAsync(app, clock, syncs);
        var stored = vault.Versions(SecretNames.ServerToken).Count;
        var minted = await app.CountAsync("POST /token SERVER_ACCESS");
        Assert.Equal((1, 1L), (stored, minted));

        vault.IsDown = true;
        var downSince = clock.GetUtcNow();
        for (var minute = 0; minute < Minutes; minute++)
        {
            // Each minute some people return from their banks while the syncs of others are under way.
            for (var i = 0; i < SyncsPerMinute; i++)
                syncs.Add(await StartSyncAsync(app, syncs.Count));
            for (var second = 0; second < 60; second++)
            {
                await app.RestAsync();
                clock.Advance(TimeSpan.FromSeconds(1));
                var (userId, syncId) = syncs[^(1 + (second % SyncsPerMinute))];
                await app.GetSyncAsync(userId, syncId);
            }
        }

        await LetTimePassAsync(app, clock, syncs);
        var down = clock.GetUtcNow() - downSince;

        // A token lives six minutes and is renewed before: twice or more in this time, without Key Vault.
        Assert.InRange(await app.CountAsync("POST /token SERVER_ACCESS") - minted, 2, 4);
        Assert.Equal(stored, vault.Versions(SecretNames.ServerToken).Count);
        Assert.InRange(down, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(13));
        Assert.True(syncs.Count > 40);
        foreach (var (userId, syncId) in syncs)
        {
            var sync = await app.GetSyncAsync(userId, syncId);
            Assert.Equal((SyncState.Completed, sync.Accounts.Total), (sync.Status, sync.Accounts.Fetched));
        }

        using (var answer = await app.Api.GetAsync(new Uri("health", UriKind.Relative)))
        {
            var health = await AppUnderTest.ReadAsync(answer);
            Assert.Equal("degraded", health.GetProperty("status").GetString());
            Assert.Equal("degraded", LineOf(health, "key-vault"));
            Assert.Equal("healthy", LineOf(health, "server-token"));
        }

        // Back again, the next token is shared as before.
        vault.IsDown = false;
        await app.RestAsync();
        clock.Advance(TimeSpan.FromMinutes(6));
        await app.CreateUserAsync("late@hooli.com");
        Assert.Equal(stored + 1, vault.Versions(SecretNames.ServerToken).Count);
    }

    private static string? LineOf(JsonElement health, string name) => health.GetProperty("checks").EnumerateArray()
        .Single(line => line.GetProperty("name").GetString() == name).GetProperty("status").GetString();

    private static async Task<(string UserId, string SyncId)> StartSyncAsync(AppUnderTest app, int number)
    {
        var userId = await app.CreateUserAsync($"person-{number}@hooli.com");
        return (userId, await app.ConsentAndReturnAsync(userId, "jared"));
    }

    /// <summary>Lets time pass until all syncs have ended, however they do.</summary>
    private static async Task LetTimePassAsync(
        AppUnderTest app, FakeTimeProvider clock, List<(string UserId, string SyncId)> syncs)
    {
        foreach (var (userId, syncId) in syncs)
            await app.WaitForSyncAsync(userId, syncId, clock, TimeSpan.FromSeconds(1));
    }
}
