using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Journeys;
using BasiqFunctions.Tests.Notifications;

namespace BasiqFunctions.Tests.Reports;

/// <summary>LocalHost is killed with SIGKILL in a phase of a report, and started again: one report at Basiq, and one here.</summary>
[Trait("Category", "Journeys")]
public sealed class KilledReportTests(KilledReportTests.Scene scene) : IClassFixture<KilledReportTests.Scene>
{
    public enum Phase
    {
        Scheduled,
        Asked,
        CreationNotSent,
        CreationCarriedOut,
        JobUnderWay,
        Fetching,
        Ready,
    }

    public static TheoryData<Phase> Phases => [.. Enum.GetValues<Phase>()];

    /// <summary>
    /// In each phase Basiq is slow, so that the host dies within it: while the creation is on its way (and carried out all the same), while the job is
    /// looked at, while the report is fetched; and as soon as the report is there, before or while the team is told. The first dies before it can answer, once the
    /// orchestration is known.
    /// </summary>
    [Theory]
    [MemberData(nameof(Phases))]
    public async Task A_report_killed_in_any_phase_is_one_at_Basiq_and_one_here(Phase phase)
    {
        await using var receiver = await Receiver.StartAsync();
        var host = await scene.Hosts.RunningAsync();
        using (var set = await host.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["report.ready", "report.failed"] }))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var (userId, syncId) = await scene.Hosts.StartSyncAsync(host, "Whistler");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);

        if (phase is Phase.CreationNotSent)
            await scene.Hosts.SetSandboxAsync(new { latency = "00:00:30", faultsUnder = "/reports" });
        else if (phase is Phase.CreationCarriedOut)
            await scene.Hosts.SetSandboxAsync(new { shareOfLostReportAnswers = 1.0 });
        else if (phase is Phase.JobUnderWay)
            await scene.Hosts.SetSandboxAsync(new { latency = "00:00:30", faultsUnder = "/jobs" });
        if (phase is Phase.Scheduled)
        {
            // Nobody gets an answer, and nobody asks again.
            var known = await CountInJournalAsync("instances", "report-%");
            var asking = host.Api.PostAsJsonAsync($"users/{userId}/reports", new { type = "affordability" });
            await AppUnderTest.WaitForAsync(() => CountInJournalAsync("instances", "report-%"), count => count > known);
            host.Kill();
            Assert.True(await Record.ExceptionAsync(() => asking) is null or HttpRequestException);
        }
        else
        {
            var created = await CountAsync("POST /reports");
            await ReachAsync(phase, host, userId, await AskAsync(host, userId), created);
        }

        host = await scene.Hosts.RestartAsync();
        await scene.Hosts.SetSandboxAsync(new { latency = "00:00:00", faultsUnder = (string?)null, shareOfLostReportAnswers = 0.0 });

        // One here and one at Basiq, and the team was told of it once.
        var here = Assert.Single(await AppUnderTest.WaitForAsync(
            () => ListAsync(host, userId), list => list.Length > 0 && list.All(report => report.GetProperty("status").GetString() is "ready" or "failed")));
        var reportId = here.GetProperty("reportId").GetString()!;
        Assert.Equal("ready", here.GetProperty("status").GetString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, userId, reportId));
        await scene.Hosts.SignInAsync();
        var atBasiq = (await scene.Hosts.Basiq.GetFromJsonAsync<JsonElement>("reports")).GetProperty("data").EnumerateArray();
        Assert.Single(atBasiq, report => report.GetProperty("title").GetString() == $"Affordability [{reportId[..10]}]");
        Assert.Equal(await CountInJournalAsync("instances", "report-%"), atBasiq.Count());
        await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length > 0);
        var told = Assert.Single(receiver.Taken);
        Assert.Equal(("report.ready", reportId), (told.Type, told.Data.GetProperty("reportId").GetString()));
    }

    /// <summary>Waits until a report that was asked for, when so many had been created at Basiq, is in a phase.</summary>
    private Task ReachAsync(Phase phase, LocalHostProcess host, string userId, string reportId, long created) => phase switch
    {
        Phase.CreationNotSent => StepsAsync(reportId, 2),
        Phase.CreationCarriedOut => AppUnderTest.WaitForAsync(() => CountAsync("POST /reports"), count => count > created),
        Phase.JobUnderWay => StepsAsync(reportId, 3),
        Phase.Fetching => StepsAsync(reportId, 4),
        Phase.Ready => AppUnderTest.WaitForAsync(() => StatusAsync(host, userId, reportId), status => status == HttpStatusCode.OK),
        _ => Task.CompletedTask,
    };

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

    private async Task<long> CountInJournalAsync(string table, string like) => Convert.ToInt64(
        await scene.Hosts.AskAsync("journal.db", $"SELECT count(*) FROM {table} WHERE instance_id LIKE '{like}'"), CultureInfo.InvariantCulture);

    private async Task<long> CountAsync(string endpoint) =>
        (await scene.Hosts.Basiq.GetFromJsonAsync<JsonElement>("_sandbox/stats")).GetProperty("requests").TryGetProperty(endpoint, out var count) ? count.GetInt64() : 0;

    /// <summary>A sandbox with reports and the host that is killed.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
    public sealed class Scene : IAsyncLifetime
#pragma warning restore CA1001
    {
        internal HostBesideSandbox Hosts { get; private set; } = null!;

        public async Task InitializeAsync() => Hosts = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.5", ["Webhooks"] = "false" },
            "Sync:FirstPollDelay=00:00:00.1",
            "Reports:FirstPollDelay=00:00:00.2",
            "Reports:JobTimeout=00:00:05");

        public async Task DisposeAsync() => await Hosts.DisposeAsync();
    }
}
