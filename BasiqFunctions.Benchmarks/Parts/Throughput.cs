using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Upstream;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>Requests a second, beside a bare proxy and an empty endpoint.</summary>
internal sealed class Throughput : IPart
{
    private const int Connections = 32;
    private const int Rounds = 5;
    private const double Wanted = 0.8;
    private const double WarmUp = 4;
    private const string Json = "application/json";

    public string Name => "throughput";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        using var state = new TemporaryFolder();
        await using var load = LoadProcess.Start();
        await using var upstream = await ServerProcess.StartAsync(Roles.Assembly, Roles.Upstream);
        await using var proxy = await ServerProcess.StartAsync(Roles.Assembly, Roles.Proxy, upstream.Url.OriginalString);
        await using var minimal = await ServerProcess.StartAsync(Roles.MinimalAssembly);
        await using var host = await LocalHosts.StartAsync(upstream.Url, state, "--Sync:FirstPollDelay=00:00:00.1", "--Logging:LogLevel:Default=Warning");
        var syncId = await SyncAsync(host);

        var empty = new Candidate(minimal.Port, HttpText.Get("/"));
        Scenario[] scenarios =
        [
            new("mint a client token", new(host.Port, HttpText.Post($"/api/users/{FixedAnswers.UserId}/client-token")), AtProxy(TokenRequest)),
            new("create a user", new(host.Port, HttpText.Post("/api/users", Json, FixedAnswers.NewUser), 201), AtProxy(UserRequest, 201)),
            new("list accounts", OfUser(""), AtProxy(HttpText.Get($"/users/{FixedAnswers.UserId}/accounts"))),
            new(
                "a page of 100 transactions",
                OfUser($"/{FixedAnswers.AccountId}/transactions?limit=100"),
                AtProxy(HttpText.Get($"/users/{FixedAnswers.UserId}/transactions"))),
            new(
                "read a sync",
                new(host.Port, HttpText.Get($"/api/users/{FixedAnswers.UserId}/syncs/{syncId}")),
                AtProxy(HttpText.Get($"/jobs/{FixedAnswers.JobId}"))),
        ];
        var seconds = effort is Effort.Full ? 1.5 : 1.0;
        if (effort is Effort.Check)
            scenarios = scenarios[..2];

        foreach (var candidate in scenarios.SelectMany(s => new[] { s.Host, s.Proxy }).Append(empty))
            await load.RunAsync(candidate.Order(WarmUp));
        List<LoadResult> ofEmpty = [];
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var scenario in scenarios)
            {
                scenario.OfHost.Add(await load.RunAsync(scenario.Host.Order(seconds)));
                scenario.OfProxy.Add(await load.RunAsync(scenario.Proxy.Order(seconds)));
            }

            ofEmpty.Add(await load.RunAsync(empty.Order(seconds)));
        }

        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"{Connections} connections, each waiting for its answer; upstream (constant answers), load generator, proxy (YARP), LocalHost and empty endpoint each in a process of its own, taking turns of {seconds} s, {Rounds} rounds, medians. LocalHost logs at Warning: a line for each user that is created is nothing that the proxy writes."),
            [Rates(scenarios, ofEmpty), Latencies(scenarios, ofEmpty)],
            [.. scenarios[..2].Select(s => new Goal($"{s.Name}: ratio to the proxy", s.Ratio, Wanted, IsLeast: true))]);

        Candidate AtProxy(string request, int status = 200) => new(proxy.Port, request, status);
        Candidate OfUser(string below) => new(host.Port, HttpText.Get($"/api/users/{FixedAnswers.UserId}/accounts{below}"));
    }

    private static string TokenRequest => HttpText.Post(
        "/token", "application/x-www-form-urlencoded", FixedAnswers.TokenForm, $"Authorization: Basic {SandboxOptions.DefaultApiKey}\r\nbasiq-version: 3.0\r\n");

    private static string UserRequest => HttpText.Post("/users", Json, FixedAnswers.NewUser, $"Authorization: Bearer {FixedAnswers.AccessToken}\r\n");

    /// <summary>Gives LocalHost something to read: one sync of three accounts, the first with transactions.</summary>
    private static async Task<string> SyncAsync(ServerProcess host)
    {
        using var client = new HttpClient { BaseAddress = new Uri(host.Url, $"api/users/{FixedAnswers.UserId}/") };
        using var started = await client.PostAsJsonAsync("syncs", new Dictionary<string, string[]> { ["jobIds"] = [FixedAnswers.JobId] });
        started.EnsureSuccessStatusCode();
        var syncId = (await started.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("syncId").GetString()!;
        while (true)
        {
            var sync = await client.GetFromJsonAsync<JsonElement>($"syncs/{syncId}");
            switch (sync.GetProperty("status").GetString())
            {
                case "completed":
                    return syncId;
                case "waiting-for-bank" or "fetching":
                    await Task.Delay(100);
                    break;
                default:
                    throw new InvalidOperationException($"The sync before the measurement ended so: {sync}");
            }
        }
    }

    private static Table Rates(Scenario[] scenarios, List<LoadResult> ofEmpty)
    {
        var empty = Median(ofEmpty, r => r.PerSecond);
        return new Table(
            "Requests a second",
            "request",
            [new("LocalHost"), new("bare proxy"), new("empty endpoint"), new("LocalHost / proxy", 2), new("LocalHost / empty", 2)],
            [.. scenarios.Select(s => new Row(
                s.Name, Median(s.OfHost, r => r.PerSecond), Median(s.OfProxy, r => r.PerSecond), empty, s.Ratio,
                Median(s.OfHost, r => r.PerSecond) / empty))]);
    }

    private static Table Latencies(Scenario[] scenarios, List<LoadResult> ofEmpty) => new(
        "Latency in ms",
        "request",
        [new("50 %", 2), new("90 %", 2), new("99 %", 2), new("proxy 50 %", 2), new("proxy 90 %", 2), new("proxy 99 %", 2)],
        [
            .. scenarios.Select(s => new Row(s.Name, [.. Percentiles(s.OfHost), .. Percentiles(s.OfProxy)])),
            new Row("empty endpoint", [.. Percentiles(ofEmpty), null, null, null]),
        ]);

    private static IEnumerable<double?> Percentiles(List<LoadResult> results) =>
        [Median(results, r => r.P50), Median(results, r => r.P90), Median(results, r => r.P99)];

    private static double Median(List<LoadResult> results, Func<LoadResult, double> number) => Statistics.Median(results.Select(number));

    private sealed record Candidate(int Port, string Request, int Status = 200)
    {
        public LoadOrder Order(double seconds) => new(Port, Request, Status, Connections, seconds);
    }

    private sealed record Scenario(string Name, Candidate Host, Candidate Proxy)
    {
        public List<LoadResult> OfHost { get; } = [];

        public List<LoadResult> OfProxy { get; } = [];

        /// <summary>The median of the rounds' ratios: neighbours in time share what else the machine does.</summary>
        public double Ratio => Statistics.Median(OfHost.Zip(OfProxy, (host, proxy) => host.PerSecond / proxy.PerSecond));
    }
}
