using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in each phase of a webhook's handling, and started again: the data goes, once.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledWebhookTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private HostBesideSandbox _scene = null!;
    private string _kept = null!;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.2", ["Webhooks"] = "false" }, "Sync:FirstPollDelay=00:00:00.1");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task A_webhook_that_could_not_be_scheduled_is_sent_again_and_acted_on_once_after_the_start()
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);

            // While somebody else writes the journal nothing can be scheduled.
            await using (var journal = await OpenAsync("journal.db"))
            {
                await ExecuteAsync(journal, "BEGIN IMMEDIATE");
                using (var answer = await _scene.SendWebhookAsync(host, "msg-1", eventId))
                    Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                host.Kill();
                Assert.Null(await ExecuteAsync(journal, $"SELECT 1 FROM instances WHERE instance_id = 'event-{eventId}'"));
            }

            _scene.Kill(host);
            host = await _scene.StartHostAsync();
            await SendAsync(host, "msg-1", eventId);

            await AssertActedOnOnceAsync(host, userId, eventId, "removed");
        }
        finally
        {
            host.Dispose();
        }
    }

    /// <summary>Basiq is slow to say what happened, or how the consents stand: the kill comes before anything is done.</summary>
    [Theory]
    [InlineData("/events")]
    [InlineData("/users")]
    public async Task A_webhook_that_was_taken_and_not_acted_on_is_acted_on_once_after_the_start(string slow)
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);
            await _scene.SetSandboxAsync(new { latency = "00:00:30", faultsUnder = slow });
            await SendAsync(host, "msg-1", eventId);
            _scene.Kill(host);
            await _scene.SetSandboxAsync(new { latency = "00:00:00" });
            host = await _scene.StartHostAsync();

            await AssertActedOnOnceAsync(host, userId, eventId, "removed");
        }
        finally
        {
            host.Dispose();
        }
    }

    [Fact]
    public async Task A_webhook_that_has_just_been_acted_on_is_settled_after_the_start_without_a_second_receipt()
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);
            await SendAsync(host, "msg-1", eventId);

            // As soon as the receipt is there: most often before the orchestration knows.
            await ReceiptAsync(host, userId);
            _scene.Kill(host);
            host = await _scene.StartHostAsync();
            await SendAsync(host, "msg-1", eventId);

            await HandledAsync(eventId);
            await ReceiptAsync(host, userId);
            Assert.InRange(host.Output.Split('\n').Count(line => line.Contains($"Event {eventId} (", StringComparison.Ordinal)), 0, 1);
        }
        finally
        {
            host.Dispose();
        }
    }

    [Fact]
    public async Task A_webhook_that_was_handled_to_its_end_is_not_handled_again_after_the_start()
    {
        var host = await _scene.StartHostAsync();
        try
        {
            var (userId, eventId) = await RevokedAsync(host);
            await SendAsync(host, "msg-1", eventId);
            await AssertActedOnOnceAsync(host, userId, eventId, "removed");
            await HandledAsync(eventId);
            _scene.Kill(host);
            host = await _scene.StartHostAsync();

            await SendAsync(host, "msg-1", eventId);
            await ReceiptAsync(host, userId);
            await host.StopAsync();
            Assert.DoesNotContain($"Event {eventId} (", host.Output, StringComparison.Ordinal);
        }
        finally
        {
            host.Dispose();
        }
    }

    /// <summary>Waits until the journal has the end of an event's orchestration.</summary>
    private async Task HandledAsync(string eventId)
    {
        await using var journal = await OpenAsync("journal.db");
        await AppUnderTest.WaitForAsync(
            () => ExecuteAsync(journal, $"SELECT output FROM instances WHERE instance_id = 'event-{eventId}'"), output => output is string);
    }

    /// <summary>Waits until the data is gone, sends the message as Basiq would again, and looks for what may be there once only.</summary>
    private async Task AssertActedOnOnceAsync(LocalHostProcess host, string userId, string eventId, string outcome)
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
        await ReceiptAsync(host, userId);

        // The words of this host: the one before had none about the event, or did not live to write them down.
        var acted = await AppUnderTest.WaitForAsync(
            () => Task.FromResult(host.Output.Split('\n').Where(line => line.Contains($"Event {eventId} (", StringComparison.Ordinal)).ToArray()),
            lines => lines.Length > 0);
        Assert.EndsWith(outcome, Assert.Single(acted).TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(
            [_kept],
            Directory.EnumerateDirectories(Path.Combine(_scene.StateFolder, "snapshots")).Select(Path.GetFileName));
        using var others = await host.Api.GetAsync(new Uri($"users/{_kept}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }

    /// <summary>Waits for the receipt, which must be the only one.</summary>
    private static async Task ReceiptAsync(LocalHostProcess host, string userId)
    {
        var receipts = await AppUnderTest.WaitForAsync(
            () => host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/deletion-receipts"),
            r => r.GetProperty("receipts").GetArrayLength() > 0);
        Assert.Equal("consent-revoked", Assert.Single(receipts.GetProperty("receipts").EnumerateArray()).GetProperty("reason").GetString());
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

    /// <summary>Sends it as Basiq does: again, until it is taken.</summary>
    private Task SendAsync(LocalHostProcess host, string id, string eventId) => AppUnderTest.WaitForAsync(
        async () =>
        {
            using var answer = await _scene.SendWebhookAsync(host, id, eventId);
            Assert.True(answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
            return answer.StatusCode;
        },
        status => status is HttpStatusCode.NoContent);

    /// <summary>Takes the user's consent back at Basiq, and returns the event.</summary>
    private async Task<string> RevokeAsync(string userId)
    {
        await _scene.SignInAsync();
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
        (_kept, var other) = await _scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, _kept, other);
        using var subscribed = await host.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = "https://app.example/api/webhooks/basiq" });
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        return (userId, await RevokeAsync(userId));
    }
}
