using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>How soon webhooks are answered while what they ask for is at work: everybody takes their consent back at once.</summary>
internal sealed class Webhooks : IPart
{
    private const int Lanes = 32;
    private const int Transactions = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public string Name => "webhooks";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var people = effort is Effort.Full ? 1_000 : 50;
        await using var stage = await SyncStage.StartAsync(1, Transactions, "--Sandbox:Webhooks=false");
        var consented = await stage.ConsentAsync(people);
        await stage.SyncAsync(consented);
        var secret = await stage.SubscribeAsync();
        await Parallel.ForEachAsync(consented, new ParallelOptions { MaxDegreeOfParallelism = Lanes / 2 }, async (person, _) =>
        {
            var consents = await stage.AskSandboxAsync(HttpMethod.Get, $"users/{person.UserId}/consents");
            await stage.AskSandboxAsync(
                HttpMethod.Delete, $"users/{person.UserId}/consents/{consents.GetProperty("data")[0].GetProperty("id").GetString()}");
        });
        var listed = (await stage.AskSandboxAsync(HttpMethod.Get, "events")).GetProperty("data").EnumerateArray().ToArray();
        string[] revoked = [.. Ids(listed, "consent", "revoked")];
        string[] others = [.. Ids(listed, "user", "created")];

        using var sender = new Sender(stage.Host.Url, secret);
        var begun = Stopwatch.GetTimestamp();
        LatencyHistogram first = new();
        await Parallel.ForEachAsync(
            revoked, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (id, _) => Add(first, await sender.SendAsync(id)));
        var answered = Stopwatch.GetElapsedTime(begun);
        LatencyHistogram meanwhile = new();
        var gone = GoneAsync(stage, consented);
        for (var i = 0; i < others.Length && !gone.IsCompleted; i++)
        {
            Add(meanwhile, await sender.SendAsync(others[i]));
            await Task.Delay(Pause);
        }

        await gone;
        var took = Stopwatch.GetElapsedTime(begun);
        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"{people:N0} people with a snapshot of {Transactions} transactions each take their consent back; a signed webhook tells of each, {Lanes} at a time. Their data was gone, receipts included, {took.TotalSeconds:0.0} s after the first was sent, and the last was answered after {answered.TotalSeconds:0.0} s; until then webhooks of other events came one after another. LocalHost, the sandbox and the sender each a process of its own."),
            [
                new Table(
                    "Milliseconds from sending a webhook to its answer",
                    "webhooks",
                    [new("sent"), new("50 %", 1), new("90 %", 1), new("99 %", 1), new("worst", 1)],
                    [Of("of the consents, all at once", first), Of("of others, while data was removed", meanwhile)]),
            ],
            [new Goal("a webhook is answered within, in ms", Math.Max(first.Percentile(1), meanwhile.Percentile(1)), 1_000, IsLeast: false)]);
    }

    private static void Add(LatencyHistogram histogram, TimeSpan took)
    {
        lock (histogram)
            histogram.Add((long)(took.TotalMilliseconds * 1e6));
    }

    private static Row Of(string label, LatencyHistogram histogram) => new(
        label, histogram.Count, histogram.Percentile(0.5), histogram.Percentile(0.9), histogram.Percentile(0.99), histogram.Percentile(1));

    private static IEnumerable<string> Ids(JsonElement[] events, string entity, string type) =>
        from e in events
        where e.GetProperty("entity").GetString() == entity && e.GetProperty("eventType").GetString() == type
        select e.GetProperty("id").GetString();

    /// <summary>Waits until everybody's data is gone and the receipt says so.</summary>
    private static async Task GoneAsync(SyncStage stage, (string UserId, string JobId)[] people)
    {
        foreach (var (userId, _) in people)
        {
            while ((await stage.AskAsync($"users/{userId}/deletion-receipts")).GetProperty("receipts").GetArrayLength() == 0)
                await Task.Delay(Pause * 5);
        }
    }

    /// <summary>Sends webhooks as Basiq does.</summary>
    private sealed class Sender(Uri host, string secret) : IDisposable
    {
        private readonly byte[] _key = Convert.FromBase64String(secret["whsec_".Length..]);
        private readonly HttpClient _client = new() { BaseAddress = new Uri(host, "api/webhooks/basiq") };

        /// <summary>Sends one, and returns how long the answer took.</summary>
        public async Task<TimeSpan> SendAsync(string eventId)
        {
            var body = $$"""{"eventId":"{{eventId}}"}""";
            var (id, at) = (Guid.NewGuid().ToString(), DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            using var request = new HttpRequestMessage(HttpMethod.Post, (Uri?)null) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", at);
            request.Headers.Add(
                "webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{id}.{at}.{body}"))));
            var sent = Stopwatch.GetTimestamp();
            using var answer = await _client.SendAsync(request);
            var took = Stopwatch.GetElapsedTime(sent);
            answer.EnsureSuccessStatusCode();
            return took;
        }

        public void Dispose() => _client.Dispose();
    }
}
