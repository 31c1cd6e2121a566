using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Removal;

/// <summary>
/// The durable orchestration of a daily pass: does what is due by its day, in a few walks through the shards that go on beside each other,
/// and then settles whether users of whom Basiq had nothing are gone.
/// </summary>
public static class DueOrchestration
{
    /// <summary>The name of the pass.</summary>
    public const string Name = "DuePass";

    /// <summary>The name of a walk.</summary>
    public const string WalkName = "WalkDue";

    /// <summary>The name of what writes down, once, who is to be looked at.</summary>
    public const string SeedName = "SeedDueWork";

    private const int Walks = 4;
    private const int ShardsAtOnce = 32;
    private const int ShardsAtOnceWhenSpread = 4;

    /// <summary>After so many activities a walk goes on with a history of its own.</summary>
    private const int MostSteps = 50;

    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 100, firstRetryInterval: TimeSpan.FromSeconds(5), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromMinutes(30)));

    /// <summary>The id of the pass of a day.</summary>
    public static string InstanceIdFor(DateTimeOffset now) => $"due-{DueWork.DayOf(now)}";

    /// <summary>Does what is due. Null when the clock is not confirmed: the next day's pass does it, too.</summary>
    [Function(Name)]
    public static async Task<RetentionPass?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var begun = await context.CallActivityAsync<DuePassBegun>(nameof(DueActivities.BeginDuePass), context.GetInput<string>(), Retry);
        if (begun.Days is not { } days)
            return null;
        if (!begun.HasSeed)
        {
            await context.CallSubOrchestratorAsync(
                SeedName, new DueSeed(Next: null), new TaskOptions().WithInstanceId($"{context.InstanceId}-seed"));
        }

        var done = new RetentionPass(0, 0, 0);
        if (days.Count > 0)
        {
            const int Width = DueWork.Shards / Walks;
            var walked = await Task.WhenAll(Enumerable.Range(0, Walks).Select(walk => context.CallSubOrchestratorAsync<RetentionPass>(
                WalkName,
                new DueWalk(days, walk * Width, (walk + 1) * Width, walk * Width, context.CurrentUtcDateTime, begun.SpreadOver, done),
                new TaskOptions().WithInstanceId($"{context.InstanceId}-{walk}"))));
            done = walked.Aggregate((one, other) => one.Plus(other));
        }

        done = await context.CallActivityAsync<RetentionPass>(nameof(DueActivities.SettleAbsences), done, Retry);
        await context.CallActivityAsync(nameof(DueActivities.EndDuePass), new DuePassDone(days, done), Retry);
        return done;
    }

    /// <summary>Writes down, some thousand users at a time, who is to be looked at.</summary>
    [Function(SeedName)]
    public static async Task SeedAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var seed = context.GetInput<DueSeed>();
        for (var steps = 0; seed is not null; steps++)
        {
            if (steps == MostSteps)
            {
                context.ContinueAsNew(seed);
                return;
            }

            seed = await context.CallActivityAsync<DueSeed?>(nameof(DueActivities.SeedDue), seed, Retry);
        }
    }

    /// <summary>Walks through some of the shards.</summary>
    [Function(WalkName)]
    public static async Task<RetentionPass> WalkAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var walk = context.GetInput<DueWalk>()!;
        for (var steps = 0; walk.At < walk.To; steps++)
        {
            if (steps == MostSteps)
            {
                context.ContinueAsNew(walk);
                return walk.Done;
            }

            if (walk.NextAt > context.CurrentUtcDateTime)
                await context.CreateTimer(walk.NextAt, CancellationToken.None);
            var to = Math.Min(walk.To, walk.At + (walk.SpreadOver > TimeSpan.Zero ? ShardsAtOnceWhenSpread : ShardsAtOnce));
            var slice = await context.CallActivityAsync<DueSliceDone>(nameof(DueActivities.DoDue), new DueSlice(walk.Days, walk.At, to), Retry);
            await context.TellAsync(slice.Notices ?? []);
            walk = walk with { At = slice.Shard, Done = walk.Done.Plus(slice.Done) };
        }

        return walk.Done;
    }
}
