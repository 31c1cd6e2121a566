using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Removal;

/// <summary>The operator's decisions: removals that a daily pass held because they were too many.</summary>
public sealed class HeldRemovalFunctions(AbsenceRemoval removal, HeldRemovals held)
{
    /// <summary>Lists the daily passes that held up removals, the newest first: 200.</summary>
    [Function("ListHeldRemovals")]
    [Answers(StatusCodes.Status200OK, typeof(HeldRemovalList))]
    public async Task<IResult> ListHeldRemovals(
        [HttpTrigger(AuthorizationLevel.Admin, "get", "head", Route = "removals")] HttpRequest request,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(new HeldRemovalList(await held.ListAsync(cancellation)));

    /// <summary>
    /// Confirms that the users of whom Basiq had nothing in a daily pass are gone: 200. A user who is back at Basiq is not removed. Repeatable.
    /// </summary>
    [Function("ConfirmRemoval")]
    [Answers(StatusCodes.Status200OK, typeof(ConfirmedRemoval))]
    [FailsWith(ProblemCodes.RemovalNotFound, AsksBasiq = true)]
    public async Task<IResult> ConfirmRemoval(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "removals/{passId}/confirm")] HttpRequest request,
        string passId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        await removal.ConfirmAsync(client, passId, cancellation) is { } confirmed
            ? JsonAnswer.Ok(confirmed)
            : Problem.NotFound(
                ProblemCodes.RemovalNotFound, "No daily pass of the last days that held up removals has this id.");
}
