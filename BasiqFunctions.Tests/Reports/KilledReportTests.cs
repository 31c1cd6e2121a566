using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Journeys;
using BasiqFunctions.Tests.Notifications;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Reports;

/// <summary>LocalHost is killed with SIGKILL in each phase of a report, and started again: one report at Basiq, and one here.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledReportTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private HostBesideSandbox _scene = null!;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.5", ["Webhooks"] = "false" },
        "Sync:FirstPollDelay=00:00:00.1",
        "Reports:FirstPollDelay=00:00:00.2",
        "Reports:JobTimeout=00:00:05");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    /// <summary>
    /// In each phase Basiq is slow, so that the host dies within it: while the creation is on its way (and carried out all the same), while the job is
    /// looked at, while the report is fetched; and as soon as the report is there, before or while the team is told. The first dies before it can answer, once the
    /// orchestration is known.
    /// </summary>
    [Fact]
    public async Task A_report_killed_in_each_phase_is_one_at_Basiq_and_one_here()
    {
        await using var receiver = await Receiver.StartAsync();
        var host = await _scene.StartHostAsync();
        try
        {
            using (var set = await host.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["report.ready", "report.failed"] }))
                Assert.Equal(HttpStatusCode.OK, set.StatusCode);
            var (userId, syncId) = await _scene.StartSyncAsync(host, "Whistler");
            await HostBesideSandbox.CompletedAsync(host, userId, syncId);
            List<string> reports = [];
            foreach (var phase in Enum.GetValues<Phase>())
            {
                if (phase is Phase.CreationNotSent)
                    await SetAsync(new { latency = "00:00:30", faultsUnder = "/reports" });
                else if (phase is Phase.CreationCarriedOut)
                    await SetAsync(new { shareOfLostReportAnswers = 1.0 });
                else if (phase is Phase.JobUnderWay)
                    await SetAsync(new { latency = "00:00:30", faultsUnder = "/jobs" });
                if (phase is Phase.Scheduled)
                {
                    // Nobody gets an answer, and nobody asks again.
                    var asking = host.Api.PostAsJsonAsync($"users/{userId}/reports", new { type = "affordability" });
                    await AppUnderTest.WaitForAsync(() => CountInJournalAsync("instances", "report-%"), count => count > reports.Count);
                    host.Kill();
                    Assert.True(await Record.ExceptionAsync(() => asking) is null or HttpRequestException);
                    _scene.Kill(host);
                    host = await _scene.StartHostAsync();
                    var listed = await AppUnderTest.WaitForAsync(
                        () => ListAsync(host, userId), list => list.Length > reports.Count && list.All(report => report.GetProperty("status").GetString() is "ready"));
                    reports.AddRange(listed.Select(report => report.GetProperty("reportId").GetString()!).Except(reports));
                    Assert.Equal(listed.Length, reports.Count);
                    continue;
                }

                var reportId = await AskAsync(host, userId);
                reports.Add(reportId);
                switch (phase)
                {
                    case Phase.CreationNotSent:
                        await StepsAsync(reportId, 2);
                        break;
                    case Phase.CreationCarriedOut:
                        await AppUnderTest.WaitForAsync(() => CountAsync("POST /reports"), count => count >= reports.Count - 1);
                        break;
                    case Phase.JobUnderWay:
                        await StepsAsync(reportId, 3);
                        break;
                    case Phase.Fetching:
                        await StepsAsync(reportId, 4);
                        break;
                    case Phase.Ready:
                        await AppUnderTest.WaitForAsync(() => StatusAsync(host, userId, reportId), status => status == HttpStatusCode.OK);
                        break;
                    case Phase.Asked or Phase.Scheduled:
                        break;
                }

                _scene.Kill(host);
                await SetAsync(new { latency = "00:00:00", faultsUnder = (string?)null, shareOfLostReportAnswers = 0.0 });
                host = await _scene.StartHostAsync();
                await AppUnderTest.WaitForAsync(() => StatusAsync(host, userId, reportId), status => status is not HttpStatusCode.Accepted);
                Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, userId, reportId));
            }

            // One at Basiq and one here of each, and of each the team was told once.
            await SignInAsync();
            var atBasiq = (await _scene.Basiq.GetFromJsonAsync<JsonElement>("reports")).GetProperty("data").EnumerateArray().Select(report => report.GetProperty("title").GetString()!).ToArray();
            Assert.Equal(reports.Select(id => $"Affordability [{id[..10]}]").Order(), atBasiq.Order());
            var here = await ListAsync(host, userId);
            Assert.Equal(reports.Order(), here.Select(report => report.GetProperty("reportId").GetString()).Order());
            Assert.All(here, report => Assert.Equal("ready", report.GetProperty("status").GetString()));
            await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length >= reports.Count);
            Assert.Equal(reports.Order(), receiver.Taken.Select(message => message.Data.GetProperty("reportId").GetString()).Order());
            Assert.All(receiver.Taken, message => Assert.Equal("report.ready", message.Type));
        }
        finally
        {
            host.Dispose();
        }
    }

    private enum Phase
    {
        Scheduled,
        Asked,
        CreationNotSent,
        CreationCarriedOut,
        JobUnderWay,
        Fetching,
        Ready,
    }

    private static async Task<string> AskAsync(LocalHostProcess host, string userId)
    {
        using var answer = await host.Api.PostAsJsonAsync($"users/{userId}/reports", new { type = "affordability" });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await AppUnderTest.ReadAsync(answer)).GetProperty("reportId").GetString()!;
    }

    private static async Task<JsonElement[]> ListAsync(LocalHostProcess host, string userId) =>
        [.. (await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/reports")).GetProperty("reports").EnumerateArray()];

    private static async Task<HttpStatusCode> StatusAsync(LocalHostProcess host, string userId, string reportId)
    {
        using var answer = await host.Api.GetAsync(new Uri($"users/{userId}/reports/{reportId}", UriKind.Relative));
        return answer.StatusCode;
    }

    /// <summary>Waits until so many activities of a report's orchestration have begun.</summary>
    private Task StepsAsync(string reportId, int steps) =>
        AppUnderTest.WaitForAsync(() => CountInJournalAsync("activity_runs", $"%{reportId}"), runs => runs >= steps);

    private async Task<long> CountInJournalAsync(string table, string like)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(_scene.StateFolder, "journal.db")};Pooling=False");
        await database.OpenAsync();
        await using var command = database.CreateCommand();
#pragma warning disable CA2100 // The test's own.
        command.CommandText = $"SELECT count(*) FROM {table} WHERE instance_id LIKE $like";
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$like", like);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    private async Task<long> CountAsync(string endpoint) =>
        (await _scene.Basiq.GetFromJsonAsync<JsonElement>("_sandbox/stats")).GetProperty("requests").TryGetProperty(endpoint, out var count) ? count.GetInt64() : 0;

    private async Task SetAsync(object options)
    {
        using var answer = await _scene.Basiq.PatchAsJsonAsync("_sandbox/options", options);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task SignInAsync()
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
    }
}
