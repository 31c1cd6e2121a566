using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Platform.Telemetry;

/// <summary>What leaves the app as telemetry arrives, and holds nothing that must not leave.</summary>
[Trait("Category", "Journeys")]
[Collection(WatchedAlone.Collection)]
public sealed class ExportTests
{
    private static readonly string[] Signals = ["traces", "metrics", "logs"];

    [Fact(Timeout = 180_000)]
    public async Task A_whole_journey_arrives_by_OTLP_without_a_secret_or_anything_personal()
    {
        await using var receiver = await TelemetryReceiver.StartAsync();
        using var state = new TemporaryDirectory();
        WholeJourney journey;
        await using (var app = await AppUnderTest.StartAsync([.. WholeJourney.Settings, .. receiver.Settings], state: state))
        {
            journey = new WholeJourney(app, _ => Task.CompletedTask);
            await journey.RunAsync();
        }

        var traces = receiver.Received("traces");
        Assert.All(
            ["BasiqFunctions", "GET /users/{userId}/transactions", "FetchTransactions", "POST /api/users", "http.response.status_code"],
            text => Assert.Contains(text, traces, StringComparison.Ordinal));
        Assert.DoesNotContain("url.query", traces, StringComparison.Ordinal);
        var metrics = receiver.Received("metrics");
        Assert.All(
            [
                "basiq.call.duration", "basiq.server_token.age", "basiq.server_token.refreshes", "basiq.sync.duration", "basiq.sync.jobs",
                "basiq.sync.accounts", "basiq.sync.transactions", "invalid-credentials", "http.client.request.duration",
                "http.server.request.duration",
            ],
            text => Assert.Contains(text, metrics, StringComparison.Ordinal));
        Assert.Contains("BasiqFunctions.Basiq.Auth.ServerTokenProvider", receiver.Received("logs"), StringComparison.Ordinal);

        var detector = new LeakDetector(
            [.. journey.Secrets, .. Confidential.SecretsIn(state).Select((value, i) => KeyValuePair.Create($"secret {i} in the vault", value))]);
        var found = Signals.SelectMany(signal => detector.Find(signal, receiver.Received(signal))).ToArray();
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_whole_journey_arrives_at_Azure_Monitor_without_a_secret_or_anything_personal()
    {
        await using var receiver = await TelemetryReceiver.StartAsync();
        using var state = new TemporaryDirectory();
        WholeJourney journey;
        await using (var app = await AppUnderTest.StartAsync([.. WholeJourney.Settings, receiver.AzureMonitorSetting], state: state))
        {
            journey = new WholeJourney(app, _ => Task.CompletedTask);
            await journey.RunAsync();
        }

        var track = receiver.Received("track");

        // Of the traces it takes some a second and no more: which of them come, if any, is not to be told.
        Assert.All(
            ["basiq.call.duration", "basiq.sync.jobs", "invalid-credentials"],
            text => Assert.Contains(text, track, StringComparison.Ordinal));
        var detector = new LeakDetector(
            [.. journey.Secrets, .. Confidential.SecretsIn(state).Select((value, i) => KeyValuePair.Create($"secret {i} in the vault", value))]);
        var found = detector.Find("track", track);
        Assert.True(found.Count == 0, string.Join(Environment.NewLine, found));
    }

    [Fact]
    public async Task Queries_are_taken_out_of_spans_whichever_library_wrote_them()
    {
        await using var receiver = await TelemetryReceiver.StartAsync();
        await using (await AppUnderTest.StartAsync(receiver.Settings))
        {
            using var careless = new ActivitySource(Instruments.Name);
            using var span = careless.StartActivity("Careless", ActivityKind.Server);
            span!.SetTag("url.full", "https://basiq.test/kept?token=planted-1#planted-2")
                .SetTag("url.query", "?state=planted-3")
                .SetTag("url.fragment", "planted-4")
                .SetTag("http.url", "https://basiq.test/kept#planted-5")
                .SetTag("http.target", "/kept?filter=planted-6");
        }

        var traces = receiver.Received("traces");

        Assert.Contains("Careless", traces, StringComparison.Ordinal);
        Assert.Contains("https://basiq.test/kept", traces, StringComparison.Ordinal);
        Assert.DoesNotContain("planted", traces, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_is_planted_in_what_is_sent_is_found()
    {
        const string Secret = "the-planted/secret=7";
        await using var receiver = await TelemetryReceiver.StartAsync();
        await using (var app = await AppUnderTest.StartAsync(receiver.Settings))
        {
            app.Services.GetRequiredService<Instruments>().TokenRefreshed(Secret);
            Instruments.BeginActivity("Planted", new(Secret), syncId: null).Dispose();
        }

        var detector = new LeakDetector([KeyValuePair.Create("the planted secret", Secret)]);

        Assert.Single(detector.Find("traces", receiver.Received("traces")));
        Assert.Single(detector.Find("metrics", receiver.Received("metrics")));
        Assert.Empty(detector.Find("logs", receiver.Received("logs")));
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_is_no_matter_of_the_app_s()
    {
        await using var app = await AppUnderTest.StartAsync(
        [
            $"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{FreePort.Find()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        ]);

        using var created = await app.Api.PostAsJsonAsync("users", new { mobile = "+61410888666" });

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", true)]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", true)]
    public void Telemetry_goes_somewhere_only_where_a_setting_says_so(string? setting, bool isSent)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(setting is null ? [] : [new(setting, "InstrumentationKey=00000000-0000-0000-0000-000000000001")])
            .Build();
        var services = new ServiceCollection();

        Assert.Equal(isSent, services.AddTelemetry(configuration));
        Assert.Equal(isSent, services.Count > 0);
    }
}
