using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Sync;

/// <summary>
/// What banks ask while they are being connected. Questions and answers pass between the caller and Basiq, live: neither is kept,
/// logged, or known to the orchestration.
/// </summary>
public sealed class Challenges(IBasiqClient basiq, Syncs syncs, ILogger<Challenges> logger)
{
    /// <summary>The sync with the challenges that are open now. Where Basiq cannot be asked, it is as it was.</summary>
    internal async Task<SyncAnswer> ShowAsync(SyncAnswer sync, CancellationToken cancellation)
    {
        if (!MayAsk(sync))
            return sync;
        return sync with { Jobs = await Task.WhenAll(sync.Jobs.Select(job => MayAsk(job) ? LookAsync(sync, job, cancellation) : Task.FromResult(job))) };
    }

    /// <summary>Hands an answer to Basiq, and has the sync look at the job again: 202.</summary>
    internal async Task<IResult> AnswerAsync(
        DurableTaskClient client, SyncAnswer sync, MfaAnswerRequest request, CancellationToken cancellation)
    {
        if (request.JobId is { } asked && sync.Jobs.All(job => job.JobId != asked))
            return Problem.NotFound(ProblemCodes.JobNotFound, "The sync has no such job.");
        var candidates = sync.Jobs.Where(job => MayAsk(job) && (request.JobId ?? job.JobId) == job.JobId).ToArray();
        var jobs = MayAsk(sync)
            ? await Task.WhenAll(candidates.Select(job => basiq.GetJobAsync(job.JobId, cancellation)))
            : [];
        var open = jobs.Where(job => job.Steps.Any(step => step.AwaitsAnswer)).ToArray();
        if (open.Length == 0)
            return Problem.Conflict(ProblemCodes.NoChallenge, "No bank is waiting for an answer. GET the sync shows its state.");
        if (open.Length > 1)
            return Problem.InvalidInput("jobId", "is required: several banks are waiting for an answer.");

        try
        {
            await basiq.AnswerMfaAsync(sync.UserId, open[0].Id, request.ValidAnswers, cancellation);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.OutcomeUnknown)
        {
            return Problem.Of(
                e.Failure.StatusCode is null ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status502BadGateway,
                ProblemCodes.OutcomeUnknown,
                "The answer may or may not have reached the bank: look at the sync before you send it again.");
        }
        finally
        {
            // Also after a refusal: one too many ends the job. The caller may be gone by now, the answer is not.
            await syncs.WakeAsync(client, sync.SyncId, CancellationToken.None);
        }

        Log.ChallengeAnswered(logger, sync.SyncId, sync.UserId);
        return SyncAccepted.For(sync);
    }

    private static bool MayAsk(SyncAnswer sync) => sync.Status is SyncState.WaitingForBank && sync.Jobs.Any(MayAsk);

    /// <summary>
    /// Whether a job, as the sync last saw it, has a challenge that may be open by now. Of a sync of many jobs the steps are not kept.
    /// </summary>
    private static bool MayAsk(SyncedJob job) => !job.IsSettled
        && (job.Steps.Count == 0 || job.Steps.Any(step => step is { Title: SyncedStep.ChallengeTitle, Status: not ("success" or "failed") }));

    private async Task<SyncedJob> LookAsync(SyncAnswer sync, SyncedJob job, CancellationToken cancellation)
    {
        try
        {
            var live = await basiq.GetJobAsync(job.JobId, cancellation);
            if ((live.UserId ?? sync.UserId) != sync.UserId || !live.Steps.Any(step => step.AwaitsAnswer))
                return job;
            var url = $"{SyncAccepted.UrlOf(sync)}/mfa";
            return SyncedJob.From(live) with
            {
                Steps =
                [
                    .. live.Steps.Select(step => SyncedStep.From(step) with
                    {
                        Challenge = step.AwaitsAnswer ? SyncedChallenge.From(step.Result!, url) : null,
                    }),
                ],
            };
        }
        catch (BasiqException)
        {
            // The client has logged why. How far the sync has come can be told without.
            return job;
        }
    }
}
