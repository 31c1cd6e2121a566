using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Upstream;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>From the start of the process to its first answer, beside the minimal app.</summary>
internal sealed class Start : IPart
{
    private const double Wanted = 1.5;

    public string Name => "start";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        using var published = new TemporaryFolder();
        var (host, minimal) = effort is Effort.Full
            ? (await Publishing.PublishAsync("BasiqFunctions.LocalHost", published), await Publishing.PublishAsync(MinimalProject, published))
            : (Path.Combine(AppContext.BaseDirectory, LocalHosts.Assembly), Path.Combine(AppContext.BaseDirectory, Roles.MinimalAssembly));
        await using var upstream = await ServerProcess.StartAsync(Roles.Assembly, Roles.Upstream);

        Candidate[] candidates =
        [
            new("LocalHost: no such sync, 404 from the journal", host, HttpText.Get($"/api/users/{FixedAnswers.UserId}/syncs/none"), 404),
            new("LocalHost: a client token, minted by the upstream", host, HttpText.Post($"/api/users/{FixedAnswers.UserId}/client-token")),
            new("minimal app", minimal, HttpText.Get("/")),
        ];
        var rounds = effort is Effort.Full ? 11 : 3;
        for (var round = -1; round < rounds; round++)
        {
            foreach (var candidate in candidates)
            {
                // What a first start leaves on the disk is every start's but the first: the folder with the journal and the keys.
                using var state = new TemporaryFolder();
                var took = await TimeAsync(
                    candidate, candidate.Assembly == host ? LocalHosts.Settings(upstream.Url, state) : []);
                if (round >= 0)
                    candidate.Milliseconds.Add(took);
            }
        }

        var least = Statistics.Median(candidates[^1].Milliseconds);
        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"From the start of the process to the last byte of its first answer, an empty state folder each time; {(effort is Effort.Full ? "published ReadyToRun" : "as built, not ReadyToRun")}, {rounds} starts each, in turns, medians."),
            [
                new Table(
                    "Milliseconds to the first answer",
                    "what is asked first",
                    [new("median"), new("fastest"), new("slowest"), new("/ minimal app", 2)],
                    [.. candidates.Select(c => new Row(
                        c.Name, Statistics.Median(c.Milliseconds), c.Milliseconds.Min(), c.Milliseconds.Max(),
                        Statistics.Median(c.Milliseconds) / least))]),
            ],
            [new Goal("start: ratio to the minimal app", Statistics.Median(candidates[0].Milliseconds) / least, Wanted, IsLeast: false)]);
    }

    private const string MinimalProject = "BasiqFunctions.Benchmarks/Minimal";

    private static async Task<double> TimeAsync(Candidate candidate, string[] settings)
    {
        var request = Encoding.ASCII.GetBytes(candidate.Request);
        var start = Stopwatch.GetTimestamp();
        await using var server = ServerProcess.Launch(candidate.Assembly, settings);
        while (true)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, server.Port);
                await socket.SendAsync(request);
                var status = await ReceiveAsync(socket);
                var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                return status == candidate.Status
                    ? took
                    : throw new InvalidOperationException($"{candidate.Name}: {status} instead of {candidate.Status}. It wrote: {server.Output}");
            }
            catch (SocketException) when (!server.HasExited && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1))
            {
                // Not up yet. A wait shorter than what is measured, and long enough to leave the processor to the one that starts.
                await Task.Delay(2);
            }
        }
    }

    private static async Task<int> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        var received = 0;
        int status;
        do
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(received));
            if (read == 0)
                throw new InvalidOperationException("The connection was closed before the first answer.");
            received += read;
        }
        while (!HttpAnswer.TryRead(buffer.AsSpan(0, received), out status, out _));
        return status;
    }

    private sealed record Candidate(string Name, string Assembly, string Request, int Status = 200)
    {
        public List<double> Milliseconds { get; } = [];
    }
}
