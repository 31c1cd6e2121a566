using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Reports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>From the end of a sync to the arrival of the message that tells of it, also beside a receiver that never answers.</summary>
internal sealed class Notifications : IPart
{
    private const int Accounts = 2;
    private const int Transactions = 100;
    private const int AtOnce = 10;
    private const double WantedMilliseconds = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public string Name => "notifications";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var syncs = effort is Effort.Full ? 500 : 50;
        List<Row> rows = [];
        List<Goal> goals = [];
        foreach (var (hangs, what) in ((bool, string)[])[(false, "it alone"), (true, "beside one that hangs")])
        {
            var milliseconds = await MeasureAsync(syncs, hangs);
            var p99 = At(milliseconds, 0.99);
            rows.Add(new Row(what, At(milliseconds, 0.5), At(milliseconds, 0.9), p99, milliseconds[^1]));
            goals.Add(new Goal($"{what}: p99 in ms", p99, WantedMilliseconds, IsLeast: false));
        }

        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"{syncs} syncs of {Accounts} accounts of {Transactions} transactions, {AtOnce} at a time. Each ends with a data.changed and a sync.ended, which the receiver answers at once."),
            [
                new Table(
                    "Milliseconds from a sync's end to the arrival of sync.ended",
                    "receiver",
                    [new("median", 1), new("p90", 1), new("p99", 1), new("slowest", 1)],
                    rows),
            ],
            goals);
    }

    /// <summary>Milliseconds in order.</summary>
    private static async Task<double[]> MeasureAsync(int syncs, bool hangs)
    {
        await using var stage = await SyncStage.StartAsync(Accounts, Transactions);
        await using var receiver = await Receiver.StartAsync();
        using var hanging = new TcpListener(IPAddress.Loopback, 0);
        hanging.Start();
        await stage.SubscribeToNotificationsAsync("receiver", receiver.Url);
        if (hangs)
            await stage.SubscribeToNotificationsAsync("hangs", new Uri($"http://{hanging.LocalEndpoint}/"));
        var people = await stage.ConsentAsync(syncs);
        ConcurrentBag<double> milliseconds = [];
        await Parallel.ForEachAsync(people, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (person, cancellation) =>
        {
            var path = await stage.StartSyncAsync(person);
            var arrived = await receiver.ArrivalOf(path[(path.LastIndexOf('/') + 1)..]).WaitAsync(Patience, cancellation);
            var ended = (await stage.AskAsync(path)).GetProperty("updatedAt").GetDateTimeOffset();
            milliseconds.Add((arrived - ended).TotalMilliseconds);
        });
        return [.. milliseconds.Order()];
    }

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _server;
        private readonly ConcurrentDictionary<string, TaskCompletionSource<DateTimeOffset>> _arrivals = new(StringComparer.Ordinal);

        private Receiver()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            _server = builder.Build();
            _server.MapPost("/", TakeAsync);
        }

        public Uri Url => new(_server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

        public static async Task<Receiver> StartAsync()
        {
            var receiver = new Receiver();
            await receiver._server.StartAsync();
            return receiver;
        }

        public Task<DateTimeOffset> ArrivalOf(string syncId) => Of(syncId).Task;

        public ValueTask DisposeAsync() => _server.DisposeAsync();

        private TaskCompletionSource<DateTimeOffset> Of(string syncId) =>
            _arrivals.GetOrAdd(syncId, _ => new TaskCompletionSource<DateTimeOffset>(TaskCreationOptions.RunContinuationsAsynchronously));

        private async Task<IResult> TakeAsync(HttpRequest request)
        {
            var now = DateTimeOffset.UtcNow;
            var message = await JsonSerializer.DeserializeAsync<JsonElement>(request.Body);
            if (message.GetProperty("type").GetString() == "sync.ended")
                Of(message.GetProperty("data").GetProperty("syncId").GetString()!).TrySetResult(now);
            return Results.NoContent();
        }
    }
}
