using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL when it has taken a webhook and not yet acted on it, and started again.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledWebhookTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private HostBesideSandbox _scene = null!;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.2", ["Webhooks"] = "false" }, "Sync:FirstPollDelay=00:00:00.1");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task A_webhook_that_was_taken_and_not_acted_on_is_acted_on_once_after_the_start()
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);

            // Basiq is slow to say what happened, so that the kill comes before anything is done.
            await SetAsync(new { latency = "00:00:30", faultsUnder = "/events" });
            await SendAsync(host, "msg-1", eventId);
            _scene.Kill(host);
            await SetAsync(new { latency = "00:00:00" });
            host = await _scene.StartHostAsync();

            await AssertActedOnOnceAsync(host, userId, eventId);
        }
        finally
        {
            host.Dispose();
        }
    }

    [Fact]
    public async Task A_webhook_that_was_written_down_and_not_yet_scheduled_is_acted_on_once_after_the_start()
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);

            // While somebody else writes the journal nothing can be scheduled, and what is to be done is written down elsewhere.
            await using (var journal = await OpenAsync("journal.db"))
            {
                await ExecuteAsync(journal, "BEGIN IMMEDIATE");
                var sending = SendAsync(host, "msg-1", eventId);
                await using var records = await OpenAsync("records.db");
                await AppUnderTest.WaitForAsync(
                    () => ExecuteAsync(records, $"SELECT row FROM records WHERE part = 'message' AND EXISTS (SELECT 1 FROM records WHERE part = 'pending' AND row = '{eventId}')"),
                    found => found is not null);
                host.Kill();
                Assert.True(await Record.ExceptionAsync(() => sending) is null or HttpRequestException);
                Assert.Null(await ExecuteAsync(journal, $"SELECT 1 FROM instances WHERE instance_id = 'event-{eventId}'"));
            }

            _scene.Kill(host);
            host = await _scene.StartHostAsync();

            await AssertActedOnOnceAsync(host, userId, eventId);
        }
        finally
        {
            host.Dispose();
        }
    }

    /// <summary>Waits until the data is gone, sends the message as Basiq would again, and looks for what may be there once only.</summary>
    private async Task AssertActedOnOnceAsync(LocalHostProcess host, string userId, string eventId)
    {
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                using var answer = await host.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
                return await answer.Content.ReadAsStringAsync();
            },
            body => body.Contains("consent-ended", StringComparison.Ordinal));
        await SendAsync(host, "msg-1", eventId);
        await SendAsync(host, "msg-2", eventId);

        var receipts = await AppUnderTest.WaitForAsync(
            () => host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/deletion-receipts"),
            r => r.GetProperty("receipts").GetArrayLength() > 0);
        var receipt = Assert.Single(receipts.GetProperty("receipts").EnumerateArray());
        Assert.Equal("consent-revoked", receipt.GetProperty("reason").GetString());

        // The second host's words: the first had none about the event, and this one no more than once.
        var running = host;
        var acted = await AppUnderTest.WaitForAsync(
            () => Task.FromResult(running.Output.Split('\n').Where(line => line.Contains($"Event {eventId} (", StringComparison.Ordinal)).ToArray()),
            lines => lines.Length > 0);
        Assert.Contains("removed", Assert.Single(acted), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_scene.StateFolder, "snapshots"), "*", SearchOption.AllDirectories));
    }

    private async Task<SqliteConnection> OpenAsync(string file)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(_scene.StateFolder, file)};Pooling=False");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<object?> ExecuteAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The test's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    private async Task SetAsync(object options)
    {
        using var answer = await _scene.Basiq.PatchAsJsonAsync("_sandbox/options", options);
        answer.EnsureSuccessStatusCode();
    }

    private async Task SendAsync(LocalHostProcess host, string id, string eventId)
    {
        using var answer = await _scene.SendWebhookAsync(host, id, eventId);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>Takes the user's consent back at Basiq, and returns the event.</summary>
    private async Task<string> RevokeAsync(string userId)
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        mint.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await _scene.Basiq.SendAsync(mint);
        _scene.Basiq.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
        var consents = await _scene.Basiq.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");
        using var revoked = await _scene.Basiq.DeleteAsync(
            new Uri($"users/{userId}/consents/{consents.GetProperty("data")[0].GetProperty("id").GetString()}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        var events = await _scene.Basiq.GetFromJsonAsync<JsonElement>("events");
        return events.GetProperty("data").EnumerateArray()
            .Single(e => e.GetProperty("entity").GetString() == "consent" && e.GetProperty("eventType").GetString() == "revoked")
            .GetProperty("id").GetString()!;
    }

    /// <summary>A user whose accounts have been fetched, with the app subscribed, and the event that tells that the consent is revoked.</summary>
    private async Task<(string UserId, string EventId)> RevokedAsync(LocalHostProcess host)
    {
        var (userId, syncId) = await _scene.StartSyncAsync(host, "Whistler");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        using var subscribed = await host.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = "https://app.example/api/webhooks/basiq" });
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        return (userId, await RevokeAsync(userId));
    }
}
