using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Reports;

/// <summary>The durable orchestration of a report: Basiq makes it, it is fetched before Basiq forgets it, and the team's backend is told.</summary>
public static class ReportOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "MakeReport";

    /// <summary>What the ids of all reports' orchestrations begin with.</summary>
    internal const string Prefix = "report-";

    /// <summary>The code of a report that Basiq did not make in time.</summary>
    private const string TimedOut = "job-timed-out";

    /// <summary>Basiq keeps a report for 24 hours: after this there is no use in trying any more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(22);

    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(15);

    /// <summary>How often Basiq must say that it does not know a job, or a report, that it has given: once may be a replica that is behind.</summary>
    private const int Misses = 5;

    /// <summary>For what breaks on our side; what Basiq refuses comes back as a value.</summary>
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 100, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromMinutes(10)));

    /// <summary>Makes the report. Gives how that ended; null where somebody has removed it meanwhile.</summary>
    [Function(Name)]
    public static async Task<string?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var input = context.GetInput<ReportInput>()!;
        var step = new ReportStep(input.UserIds[0], input.ReportId);
        if (!await context.CallActivityAsync<bool>(nameof(ReportActivities.BeginReport), input, Retry))
            return null;
        var failure = await MakeAsync(context, input, step);
        if (failure?.Kind is UpstreamFailure.DiscardedKind)
            return null;
        if (failure is not null && !await context.CallActivityAsync<bool>(nameof(ReportActivities.FailReport), new FailedReport(step, failure.Code), Retry))
            return null;
        await context.TellAsync([context.Notice(
            failure is null ? NoticeTypes.ReportReady : NoticeTypes.ReportFailed,
            new NoticeData(step.UserId) { ReportId = input.ReportId, Reason = failure?.Code })]);
        return failure?.Code ?? "ready";
    }

    private static async Task<UpstreamFailure?> MakeAsync(TaskOrchestrationContext context, ReportInput input, ReportStep step)
    {
        var (created, failure) = await CallAsync<CreatedReport>(context, input, nameof(ReportActivities.OrderReport), step);
        if (created is null)
            return failure;
        var basiqId = created.BasiqId;
        if (basiqId is null)
        {
            var deadline = context.CurrentUtcDateTime + input.JobTimeout;
            for (var delay = input.FirstPollDelay; ; delay = Min(delay * 1.5, input.MaxPollDelay))
            {
                await context.CreateTimer(context.CurrentUtcDateTime + delay, CancellationToken.None);
                var (observed, unseen) = await CallAsync<ObservedReport>(context, input, nameof(ReportActivities.ObserveReport), new ReportJob(step, created.JobId!));
                if (observed is null)
                    return unseen;
                if (observed.Error is { } error)
                    return new UpstreamFailure(nameof(BasiqFailureKind.Other), error, IsTransient: false);
                if ((basiqId = observed.BasiqId) is not null)
                    break;
                if (context.CurrentUtcDateTime >= deadline)
                    return new UpstreamFailure(nameof(BasiqFailureKind.Timeout), TimedOut, IsTransient: false);
            }
        }

        return (await CallAsync<FetchedReport>(context, input, nameof(ReportActivities.FetchReport), new ReportAtBasiq(step, basiqId))).Failure;
    }

    /// <summary>Calls an activity, and again while what it meets may pass, as long as Basiq keeps the report.</summary>
    private static async Task<(T? Value, UpstreamFailure? Failure)> CallAsync<T>(TaskOrchestrationContext context, ReportInput input, string activity, object what)
        where T : class
    {
        var last = context.CurrentUtcDateTime + Patience;
        var misses = 0;
        for (var delay = input.FirstPollDelay; ; delay = Min(delay * 2, MaxDelay))
        {
            var outcome = await context.CallActivityAsync<Outcome<T>>(activity, what, Retry);
            if (outcome is not { Value: null, Failure: { } failure })
                return (outcome.Value, null);
            var mayPass = failure.MayPass || (failure.IsNotFound && ++misses < Misses);
            if (!mayPass || context.CurrentUtcDateTime + delay > last)
                return (null, failure);
            var wait = TimeSpan.FromSeconds(Math.Max(delay.TotalSeconds, failure.RetryAfterSeconds ?? 0));
            await context.CreateTimer(context.CurrentUtcDateTime + wait, CancellationToken.None);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>What the orchestration of a report is started with: ids, and how it waits. What was asked for lies encrypted beside the report.</summary>
/// <param name="ReportId">The report.</param>
/// <param name="UserIds">Whose report it is, the owner first.</param>
/// <param name="Type">As it was asked for.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="FirstPollDelay">The first wait between polls.</param>
/// <param name="MaxPollDelay">The longest.</param>
/// <param name="JobTimeout">How long the job may take.</param>
public sealed record ReportInput(
    ReportId ReportId, IReadOnlyList<UserId> UserIds, string Type, DateTimeOffset CreatedAt, TimeSpan FirstPollDelay, TimeSpan MaxPollDelay, TimeSpan JobTimeout);

/// <summary>Which report an activity is about.</summary>
/// <param name="UserId">Whose it is.</param>
/// <param name="ReportId">The report.</param>
public sealed record ReportStep(UserId UserId, ReportId ReportId);

/// <summary>A report and the job that makes it.</summary>
/// <param name="Report">The report.</param>
/// <param name="JobId">The job.</param>
public sealed record ReportJob(ReportStep Report, JobId JobId);

/// <summary>A report, and what Basiq calls it.</summary>
/// <param name="Report">The report.</param>
/// <param name="BasiqId">Basiq's id of it.</param>
public sealed record ReportAtBasiq(ReportStep Report, BasiqReportId BasiqId);

/// <summary>A report that could not be had.</summary>
/// <param name="Report">The report.</param>
/// <param name="Code">Why.</param>
public sealed record FailedReport(ReportStep Report, string Code);

/// <summary>A report that Basiq makes, or has made.</summary>
/// <param name="JobId">The job that makes it.</param>
/// <param name="BasiqId">Basiq's id of it, where it was found in the list.</param>
public sealed record CreatedReport(JobId? JobId, BasiqReportId? BasiqId = null);

/// <summary>How far a report's job is.</summary>
/// <param name="BasiqId">Basiq's id of the report, once it is made.</param>
/// <param name="Error">Why it failed, where it has.</param>
public sealed record ObservedReport(BasiqReportId? BasiqId = null, string? Error = null);

/// <summary>A report that is kept.</summary>
public sealed record FetchedReport;
