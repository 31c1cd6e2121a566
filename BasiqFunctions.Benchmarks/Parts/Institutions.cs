using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>Reads of the banks there are, of which Basiq is asked once.</summary>
internal sealed class Institutions : IPart
{
    private const int Connections = 32;
    private const int Banks = 200;
    private const double Wanted = 10_000;
    private const double WarmUp = 4;
    private const string Path = "/api/institutions";

    public string Name => "institutions";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        using var state = new TemporaryFolder();
        await using var load = LoadProcess.Start();
        await using var sandbox = await ServerProcess.StartAsync(
            "BasiqFunctions.Sandbox.dll", [string.Create(CultureInfo.InvariantCulture, $"--Sandbox:MoreBanks={Banks}")]);
        await using var host = await LocalHosts.StartAsync(sandbox.Url, state, "--Logging:LogLevel:Default=Warning");
        using var api = new HttpClient { BaseAddress = host.Url };
        using var first = await api.GetAsync(new Uri(Path, UriKind.Relative));
        first.EnsureSuccessStatusCode();
        var size = (await first.Content.ReadAsByteArrayAsync()).Length;

        var known = $"If-None-Match: {first.Headers.ETag}\r\n";
        (string What, LoadOrder Order)[] reads =
        [
            ("who has the list: 304", Order(HttpText.Get(Path, known), 304)),
            ("one bank", Order(HttpText.Get($"{Path}/AU00000"))),
            ("banks by a word and a method", Order(HttpText.Get($"{Path}?q=hooli&method=open-banking"))),
            ("all banks, Brotli", Order(HttpText.Get(Path, "Accept-Encoding: br\r\n"))),
            ("all banks, as they are", Order(HttpText.Get(Path))),
        ];
        var (rounds, seconds) = effort is Effort.Full ? (5, 1.5) : (2, 1.0);
        foreach (var (_, order) in reads)
            await load.RunAsync(order with { Seconds = WarmUp });
        var results = reads.ToDictionary(read => read.What, _ => new List<LoadResult>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (what, order) in reads)
                results[what].Add(await load.RunAsync(order with { Seconds = seconds }));
        }

        using var counts = new HttpClient { BaseAddress = sandbox.Url };
        var asked = (await counts.GetFromJsonAsync<JsonElement>("_sandbox/stats")).GetProperty("requests").GetProperty("GET /connectors").GetInt64();
        return new PartReport(
            Name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Connections} connections, each waiting for its answer; load generator and LocalHost share the machine, {rounds} rounds of {seconds} s each, medians; {size / 1024} KiB of JSON are all banks."),
            [
                new Table(
                    "Reads of institutions a second", "read", [new("a second"), new("50 %, ms", 2), new("99 %, ms", 2)],
                    [.. reads.Select(read => new Row(read.What, Median(read.What, r => r.PerSecond), Median(read.What, r => r.P50), Median(read.What, r => r.P99)))]),
            ],
            [
                .. reads.Select(read => new Goal($"{read.What}: reads a second", Median(read.What, r => r.PerSecond), Wanted, IsLeast: true)),
                new Goal("times that Basiq was asked for its list", asked, 1, IsLeast: false),
            ]);

        LoadOrder Order(string request, int status = 200) => new(host.Port, request, status, Connections, WarmUp);

        double Median(string what, Func<LoadResult, double> number) => Statistics.Median(results[what].Select(number));
    }
}
