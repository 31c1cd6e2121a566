using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Removal;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>The HTTP functions of a user's consents.</summary>
public sealed class UserConsentFunctions(UserConsents consents)
{
    /// <summary>Lists a user's consents as Basiq gives them and, beside them, how each stands: 200.</summary>
    [Function("ListConsents")]
    [Answers(StatusCodes.Status200OK, typeof(ConsentList))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> ListConsents(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/consents")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(await consents.ListAsync(new(userId), cancellation));

    /// <summary>Revokes a consent at Basiq and removes the data here that it covered: 204, also when it had ended before, or 202 when that goes on.</summary>
    [Function("RevokeConsent")]
    [Answers(StatusCodes.Status204NoContent)]
    [Answers(StatusCodes.Status202Accepted, typeof(RemovalUnderWay), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConsentNotFound, AsksBasiq = true)]
    public async Task<IResult> RevokeConsent(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}/consents/{consentId}")] HttpRequest request,
        string userId,
        string consentId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        RemovalAccepted.For(await consents.RevokeAsync(client, new(userId), consentId, cancellation));
}
