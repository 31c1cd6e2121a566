using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Removal;

/// <summary>What whoever runs the app decides on: removals that a daily pass held up, since they would have been many.</summary>
public sealed class HeldRemovalFunctions(AbsenceRemoval removal, HeldRemovals held)
{
    /// <summary>Lists the daily passes that held up removals, the newest first: 200.</summary>
    [Function("ListHeldRemovals")]
    [Answers(StatusCodes.Status200OK, typeof(HeldRemovalList))]
    public async Task<IResult> ListHeldRemovals(
        [HttpTrigger(AuthorizationLevel.Admin, "get", "head", Route = "removals")] HttpRequest request,
        CancellationToken cancellation) =>
        new JsonAnswer<HeldRemovalList>(
        StatusCodes.Status200OK,
        new HeldRemovalList(await held.ListAsync(cancellation)),
        RemovalJson.Default.HeldRemovalList);

    /// <summary>
    /// Confirms that the users of whom Basiq had nothing in a daily pass are gone: 200. Whoever is back at Basiq is not removed. Repeatable.
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
            ? new JsonAnswer<ConfirmedRemoval>(StatusCodes.Status200OK, confirmed, RemovalJson.Default.ConfirmedRemoval)
            : Problem.NotFound(
                ProblemCodes.RemovalNotFound, "No daily pass of the last days that held up removals has this id.");
}
