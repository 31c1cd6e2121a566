using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>The HTTP functions of a user's syncs.</summary>
public sealed class SyncFunctions(Syncs syncs, Challenges challenges, IdempotentRequests requests)
{
    private static readonly StartSyncValidator Validator = new();

    /// <summary>Starts the sync of some jobs, or of what Basiq has of some connections, or finds it: 202.</summary>
    [Function("StartSync")]
    [Takes(typeof(StartSyncRequest))]
    [Parameter(IdempotencyKey.Header, IdempotencyKey.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status202Accepted, typeof(SyncStarted), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.JobNotFound, ProblemCodes.ConnectionNotFound, AsksBasiq = true)]
    public async Task<IResult> StartSync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/syncs")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var user = new UserId(userId);
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation);
        var isFull = asked.Full is true;
        return await requests.RunAsync(
            request,
            new IdempotentOperation(
                $"POST users/{userId}/syncs",
                () => asked.Meaning(user),
                async token => (
                    SyncAccepted.For(asked.IsOfConnections
                        ? await syncs.StartFromAsync(client, user, asked.ValidConnectionIds, isFull, token)
                        : await syncs.StartAsync(client, user, asked.ValidJobIds, token, isFull, isSecond: isFull)),
                    user))
            {
                UserId = user,
            },
            cancellation);
    }

    /// <summary>Tells how far a sync has come, and what a bank asks that waits for an answer: 200.</summary>
    [Function("GetSync")]
    [Answers(StatusCodes.Status200OK, typeof(SyncAnswer))]
    [FailsWith(ProblemCodes.SyncNotFound)]
    public async Task<IResult> GetSync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/syncs/{syncId}")] HttpRequest request,
        string userId,
        string syncId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await syncs.FindAsync(client, new(userId), new(syncId), cancellation) is { } sync
            ? JsonAnswer.Ok(await challenges.ShowAsync(sync, cancellation))
            : NotFound();

    /// <summary>Stops a sync, if it has not ended: 202.</summary>
    [Function("CancelSync")]
    [Answers(StatusCodes.Status202Accepted)]
    [FailsWith(ProblemCodes.SyncNotFound)]
    public async Task<IResult> CancelSync(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}/syncs/{syncId}")] HttpRequest request,
        string userId,
        string syncId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await syncs.CancelAsync(client, new(userId), new(syncId), cancellation) ? Results.Accepted() : NotFound();

    private static ProblemResult NotFound() => Problem.NotFound(ProblemCodes.SyncNotFound, "The user has no such sync.");
}
