using BasiqFunctions.Http;
using BasiqFunctions.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Consents;

/// <summary>Shows what became of users' data.</summary>
public sealed class DeletionReceiptFunctions(DeletionReceipts receipts, HttpAnswers answers)
{
    /// <summary>Lists the receipts of what was removed of a user, the newest first, 100 at most; also of a user who is gone: 200.</summary>
    [Function("ListDeletionReceipts")]
    [Answers(StatusCodes.Status200OK, typeof(DeletionReceiptList))]
    public Task<IResult> ListDeletionReceipts(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/deletion-receipts")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        answers.RunAsync(
            request,
            "ListDeletionReceipts",
            async cancellation => RouteId.Refuse(("userId", userId))
                ?? new JsonAnswer<DeletionReceiptList>(
                    StatusCodes.Status200OK,
                    new DeletionReceiptList(await receipts.ListAsync(userId, cancellation)),
                    ConsentsJson.Default.DeletionReceiptList),
            cancellation);
}
