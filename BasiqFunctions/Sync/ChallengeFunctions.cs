using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>The HTTP function of what banks ask.</summary>
public sealed class ChallengeFunctions(Syncs syncs, Challenges challenges)
{
    private static readonly MfaAnswerValidator Validator = new();

    /// <summary>Answers the challenge that GetSync shows, such as a code that the bank sent by SMS: 202 as StartSync, 400 for a wrong one.</summary>
    [Function("AnswerMfa")]
    [Takes(typeof(MfaAnswerRequest), Required = ["mfa-response"])]
    [Answers(StatusCodes.Status202Accepted, typeof(SyncStarted), Headers = ["Location", "Retry-After"])]
    [FailsWith(
        ProblemCodes.UserNotFound,
        ProblemCodes.SyncNotFound,
        ProblemCodes.JobNotFound,
        ProblemCodes.NoChallenge,
        ProblemCodes.OutcomeUnknown,
        AsksBasiq = true)]
    public async Task<IResult> AnswerMfa(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/syncs/{syncId}/mfa")] HttpRequest request,
        string userId,
        string syncId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var answer = await JsonBody.ReadAsync(request, Validator, cancellation);
        return await syncs.FindAsync(client, new(userId), new(syncId), cancellation) is { } sync
            ? await challenges.AnswerAsync(client, sync, answer, cancellation)
            : Problem.NotFound(ProblemCodes.SyncNotFound, "The user has no such sync.");
    }
}
