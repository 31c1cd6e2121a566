using Microsoft.DurableTask;

namespace BasiqFunctions.Platform.Notices;

/// <summary>How orchestrations tell the team's backend what has become true.</summary>
internal static class NoticeExtensions
{
    /// <summary>The activity that takes notices.</summary>
    public const string Activity = "TakeNotices";

    /// <summary>What breaks is storage, and comes back: tried for weeks.</summary>
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 1_000, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>A notice of what has just become true.</summary>
    public static Notice Notice(this TaskOrchestrationContext context, string type, NoticeData data) =>
        new(Notices.Notice.IdFor(context.CurrentUtcDateTime, context.NewGuid()), type, context.CurrentUtcDateTime, data);

    /// <summary>Tells the team's backend; once this is done it will be told, whatever dies.</summary>
    public static async Task TellAsync(this TaskOrchestrationContext context, params IReadOnlyList<Notice> notices)
    {
        if (notices.Count > 0)
            await context.CallActivityAsync(Activity, notices, Retry);
    }
}
