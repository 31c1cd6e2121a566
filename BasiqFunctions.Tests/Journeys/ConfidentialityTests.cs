using System.Net;
using System.Net.Http.Json;
using System.Runtime.Versioning;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Whatever the app writes where others read it, it holds no secret and nothing personal.</summary>
[Trait("Category", "Journeys")]
[Collection(WatchedAlone.Collection)]
public sealed class ConfidentialityTests
{
    [Fact(Timeout = 180_000)]
    public async Task Logs_metrics_spans_problems_and_orchestration_history_hold_no_secret_and_nothing_personal()
    {
        using var state = new TemporaryDirectory();
        using var watch = new LeakWatch();
        WholeJourney journey;
        LogCapture logs;
        await using (var app = await AppUnderTest.StartAsync(WholeJourney.Settings, state: state))
        {
            logs = app.Logs;
            journey = new WholeJourney(app, watch.KeepAsync);
            await journey.RunAsync();
        }

        var channels = await watch.ChannelsAsync(logs, state);

        // The watch was awake: each channel holds something of the journey.
        Assert.Contains("Minted a server token", channels["log"], StringComparison.Ordinal);
        Assert.Contains("GET /users/{userId}/transactions", channels["metric"], StringComparison.Ordinal);
        Assert.Contains("GET /users/{userId}/transactions", channels["span"], StringComparison.Ordinal);
        Assert.Contains("invalid-input", channels["problem"], StringComparison.Ordinal);
        Assert.Contains("outcome-unknown", channels["problem"], StringComparison.Ordinal);
        Assert.Contains("verify-credentials", channels["journal"], StringComparison.Ordinal);
        Assert.Contains("records ", channels["records"], StringComparison.Ordinal);
        Assert.Contains("idempotency-key-reused", channels["problem"], StringComparison.Ordinal);

        Assert.Contains("webhook-refused", channels["problem"], StringComparison.Ordinal);
        Assert.Contains("event-event-of-the-journey", channels["journal"], StringComparison.Ordinal);
        Assert.Contains("Webhooks refused", channels["log"], StringComparison.Ordinal);

        var detector = new LeakDetector(
            [.. journey.Secrets, .. Confidential.SecretsIn(state).Select((value, i) => KeyValuePair.Create($"secret {i} in the vault", value))]);
        Assert.True(journey.Secrets.Count > 50);
        var found = channels.SelectMany(channel => detector.Find(channel.Key, channel.Value)).ToArray();
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    [Theory]
    [InlineData("log")]
    [InlineData("metric")]
    [InlineData("span")]
    [InlineData("problem")]
    [InlineData("journal")]
    [InlineData("records")]
    public async Task A_secret_that_is_planted_is_found(string channel)
    {
        const string Secret = "the-planted/secret=7";
        using var state = new TemporaryDirectory();
        using var watch = new LeakWatch();
        LogCapture logs;
        await using (var app = await AppUnderTest.StartAsync(state: state))
        {
            logs = app.Logs;
            await PlantAsync(app, watch, channel, Secret);
        }

        var channels = await watch.ChannelsAsync(logs, state);

        var detector = new LeakDetector([KeyValuePair.Create("the planted secret", Secret)]);
        Assert.All(channels, c =>
        {
            var found = detector.Find(c.Key, c.Value);
            if (c.Key == channel)
                Assert.StartsWith($"{channel}: the planted secret", Assert.Single(found), StringComparison.Ordinal);
            else
                Assert.Empty(found);
        });
    }

    [Theory]
    [InlineData("gavin@hooli.com", "user gavin@hooli.com")]
    [InlineData("gavin@hooli.com", "email=gavin%40hooli.com")]
    [InlineData("a/b+c==", "state=a%2Fb%2Bc%3D%3D")]
    [InlineData("O'Neill & Sons", "{\"name\":\"O\\u0027Neill \\u0026 Sons\"}")]
    [InlineData("O'Neill & Sons", "<p>O&#x27;Neill &amp; Sons</p>")]
    [InlineData("a secret of some length", "Basic eDphIHNlY3JldCBvZiBzb21lIGxlbmd0aA==")]
    [InlineData("-1234.56", "balance -1234.56 left")]
    [InlineData("nothing", "somebody@elsewhere.test")]
    [InlineData("nothing", "call +61410888666 now")]
    [InlineData("nothing", "Authorization: Bearer abcdefgh1234")]
    public void A_secret_is_found_in_every_spelling(string secret, string text) =>
        Assert.NotEmpty(new LeakDetector([KeyValuePair.Create("it", secret)]).Find("log", text));

    [Theory]
    [InlineData("1234.56", "took 91234.567 ms")]
    [InlineData("gavin@hooli.com", "user 614f0000-0000-0000-0000-61412345678a of ***@***")]
    public void What_only_looks_alike_is_not_reported(string secret, string text) =>
        Assert.Empty(new LeakDetector([KeyValuePair.Create("it", secret)]).Find("log", text));

    [SkippableFact]
    [UnsupportedOSPlatform("windows")]
    public async Task State_files_are_their_owners_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "On Windows the profile's rights protect the files.");
        using var state = new TemporaryDirectory();
        await using (var app = await AppUnderTest.StartAsync(state: state))
        {
            var userId = await app.CreateUserAsync();
            await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        }

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        Assert.All(
            state.Files,
            file => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & others));
    }

    private static async Task PlantAsync(AppUnderTest app, LeakWatch watch, string channel, string secret)
    {
        switch (channel)
        {
            case "log":
#pragma warning disable CA1848 // As somebody would who is in a hurry.
                app.Services.GetRequiredService<ILogger<ConfidentialityTests>>()
                    .LogError(new InvalidOperationException($"Basiq refused {secret}."), "A call failed.");
#pragma warning restore CA1848
                break;
            case "metric":
                app.Services.GetRequiredService<Instruments>().TokenRefreshed(secret);
                break;
            case "span":
                using (Instruments.BeginActivity("Planted", new(secret), syncId: null))
                    break;
            case "problem":
                using (var answer = new HttpResponseMessage(HttpStatusCode.BadRequest))
                {
                    answer.Content = JsonContent.Create(new { code = "invalid-input", detail = $"{secret} is no e-mail address." });
                    await watch.KeepAsync(answer);
                }

                break;
            case "journal":
                await app.Services.GetRequiredService<DurableTaskClient>().ScheduleNewOrchestrationInstanceAsync(
                    SyncOrchestration.Name,
                    new SyncInput(new("user-1"), [], new SyncOptions()) { UserId = new(secret) },
                    new StartOrchestrationOptions("sync-planted"));
                break;
            case "records":
                await app.Services.GetRequiredService<IdempotencyRecords>().TryAddAsync(
                    new IdempotencyRecord(
                        "id", secret, "claim", IdempotencyState.Running, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1)),
                    CancellationToken.None);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(channel));
        }
    }
}
