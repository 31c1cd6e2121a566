using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Removal;

/// <summary>Shows what became of users' data.</summary>
public sealed class DeletionReceiptFunctions(DeletionReceipts receipts)
{
    /// <summary>Lists the receipts of what was removed of a user, the newest first, 100 at most; also of a user who is gone: 200.</summary>
    [Function("ListDeletionReceipts")]
    [Answers(StatusCodes.Status200OK, typeof(DeletionReceiptList))]
    public async Task<IResult> ListDeletionReceipts(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/deletion-receipts")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(new DeletionReceiptList(await receipts.ListAsync(new(userId), cancellation)));

    /// <summary>One receipt, once all that it is about is gone: 200. Until then 404.</summary>
    [Function("GetDeletionReceipt")]
    [Answers(StatusCodes.Status200OK, typeof(DeletionReceipt))]
    [FailsWith(ProblemCodes.ReceiptNotFound)]
    public async Task<IResult> GetDeletionReceipt(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/deletion-receipts/{receiptId}")] HttpRequest request,
        string userId,
        string receiptId,
        CancellationToken cancellation) =>
        await receipts.FindAsync(new(userId), receiptId, cancellation) is { } receipt
            ? JsonAnswer.Ok(receipt)
            : Problem.NotFound(ProblemCodes.ReceiptNotFound, "The user has no such receipt. A removal in progress has none yet.");
}
