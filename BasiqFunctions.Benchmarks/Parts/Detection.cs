using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>From the bank finishing a job to the sync noticing it, and the polls spent, beside polling every two seconds.</summary>
internal sealed class Detection : IPart
{
    private const int Jobs = 201;
    private static readonly int[] Seconds = [5, 10, 30, 60, 120, 300, 600];
    private static readonly TimeSpan Fixed = TimeSpan.FromSeconds(2);

    public string Name => "detection";

    public Task<PartReport> RunAsync(Effort effort)
    {
        Row[] rows = [.. Seconds.Select(seconds => Of(TimeSpan.FromSeconds(seconds)))];
        return Task.FromResult(new PartReport(
            Name,
            FormattableString.Invariant(
                $"The app's own polling on a virtual clock, {Jobs} jobs within 10 % of each duration, means; latency of the network is not in it. 'Told' is a sync that a webhook tells of the end."),
            [
                new Table(
                    "Seconds from the end of the job to its being noticed, and polls",
                    "job",
                    [
                        new("noticed after", 1), new("at worst", 1), new("polls", 1), new("every 2 s: noticed after", 1),
                        new("every 2 s: polls", 1), new("told: noticed after", 1), new("told: polls", 1),
                    ],
                    rows),
            ],
            []));
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
        var context = new VirtualContext(new SyncInput("user", [SyncedJob.Unseen("job")], new SyncOptions()), duration);
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
