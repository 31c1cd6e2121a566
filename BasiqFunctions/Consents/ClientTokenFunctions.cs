using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Consents;

/// <summary>The HTTP function of client tokens.</summary>
public sealed class ClientTokenFunctions(IBasiqClient basiq)
{
    /// <summary>Mints a token that is bound to the user and opens only the consent page: 200.</summary>
    [Function("CreateClientToken")]
    [Answers(StatusCodes.Status200OK, typeof(ClientToken))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> CreateClientToken(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/client-token")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(await basiq.CreateClientTokenAsync(new(userId), cancellation));
}
