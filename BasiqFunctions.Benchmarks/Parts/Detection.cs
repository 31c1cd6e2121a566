using System.Diagnostics;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>From the bank finishing a job to the sync noticing it, and the polls spent, beside polling every two seconds.</summary>
internal sealed class Detection : IPart
{
    private const int Jobs = 201;
    private static readonly int[] Seconds = [5, 10, 30, 60, 120, 300, 600];
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Fixed = TimeSpan.FromSeconds(2);

    public string Name => "detection";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        Row[] rows = [.. Seconds.Select(seconds => Of(TimeSpan.FromSeconds(seconds)))];
        var real = TimeSpan.FromSeconds(effort is Effort.Full ? 60 : 10);
        var ofProcesses = await Task.WhenAll(WatchAsync(real, isTold: true), WatchAsync(real, isTold: false));
        var told = ofProcesses[0];
        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"The app's own polling on a virtual clock, {Jobs} jobs within 10 % of each duration, means; latency of the network is not in it. 'Told' is a sync that a webhook tells of the end. The second table is no simulation: one job each, LocalHost and sandbox each a process of its own, both looked at every {Pause.TotalMilliseconds:0} ms."),
            [
                new Table(
                    "Seconds from the end of the job to its being noticed, and polls",
                    "job",
                    [
                        new("noticed after", 1), new("at worst", 1), new("polls", 1), new("every 2 s: noticed after", 1),
                        new("every 2 s: polls", 1), new("told: noticed after", 1), new("told: polls", 1),
                    ],
                    rows),
                new Table(
                    FormattableString.Invariant($"A job of {real.TotalSeconds:0} s, for real"), "sync", [new("noticed after, s", 3), new("polls")], ofProcesses),
            ],
            effort is Effort.Full
                ? [
                    new("told of a job of 60 s: noticed after, in s", told.Values[0]!.Value, 1, IsLeast: false),
                    new("told of a job of 60 s: polls", told.Values[1]!.Value, 4, IsLeast: false),
                ]
                : []);
    }

    private static async Task<Row> WatchAsync(TimeSpan duration, bool isTold)
    {
        await using var stage = await SyncStage.StartAsync(1, 10, FormattableString.Invariant($"--Sandbox:JobDuration={duration}"));
        if (isTold)
            await stage.SubscribeAsync();
        var person = (await stage.ConsentAsync(1))[0];
        await stage.BeginAsync();
        var sync = await stage.StartSyncAsync(person);
        await Task.Delay(duration * 0.95);

        var looks = 0;
        var ended = UntilAsync(async () =>
        {
            looks++;
            return IsEnded(await stage.AskSandboxAsync(HttpMethod.Get, $"jobs/{person.JobId}"));
        });
        var noticed = UntilAsync(async () => IsEnded((await stage.AskAsync(sync)).GetProperty("jobs")[0]));
        await Task.WhenAll(ended, noticed);
        return new Row(
            isTold ? "told by webhooks" : "by its own polls",
            Stopwatch.GetElapsedTime(await ended, await noticed).TotalSeconds,
            await stage.RequestsAsync("GET /jobs/{jobId}") - looks);
    }

    private static bool IsEnded(JsonElement job) => job.GetProperty("steps") is { } steps && steps.GetArrayLength() > 0
        && steps.EnumerateArray().All(step => step.GetProperty("status").GetString() is "success");

    /// <summary>Looks until something is so, and returns when it was.</summary>
    private static async Task<long> UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
            await Task.Delay(Pause);
        return Stopwatch.GetTimestamp();
    }

    private static Row Of(TimeSpan nominal)
    {
        TimeSpan[] durations = [.. Enumerable.Range(0, Jobs).Select(i => nominal * (0.9 + (0.2 * i / (Jobs - 1))))];
        (double Late, int Polls)[] polled = [.. durations.Select(duration => Simulate(duration, isTold: false))];
        (double Late, int Polls)[] told = [.. durations.Select(duration => Simulate(duration, isTold: true))];
        double[] fixedPolls = [.. durations.Select(duration => Math.Ceiling(duration / Fixed))];
        return new Row(
            FormattableString.Invariant($"{nominal.TotalSeconds:0} s"),
            polled.Average(p => p.Late),
            polled.Max(p => p.Late),
            polled.Average(p => p.Polls),
            durations.Zip(fixedPolls).Average(p => (p.Second * Fixed.TotalSeconds) - p.First.TotalSeconds),
            fixedPolls.Average(),
            told.Average(p => p.Late),
            told.Average(p => p.Polls));
    }

    internal static (double Late, int Polls) Simulate(TimeSpan duration, bool isTold)
    {
        var context = new VirtualContext(new SyncInput(new("user"), [SyncedJob.Unseen(new("job"))], new SyncOptions()), duration);
        var run = new SyncRun(context, context.GetInput<SyncInput>()!).RunAsync();
        while (context.NoticedAt is null)
        {
            if (run.IsCompleted)
                throw new InvalidOperationException("The sync ended before its job.");
            context.Advance(isTold);
        }

        return ((context.NoticedAt.Value - duration).TotalSeconds, context.Polls);
    }
}
