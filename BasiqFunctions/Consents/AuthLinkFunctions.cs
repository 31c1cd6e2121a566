using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Consents;

/// <summary>The HTTP function of links that are sent to people.</summary>
public sealed class AuthLinkFunctions(IBasiqClient basiq)
{
    private static readonly CreateAuthLinkRequestValidator Validator = new();

    /// <summary>
    /// Makes a link to the consent page to be sent by SMS or e-mail, opened by a code that goes to the mobile: 200. The one before it
    /// stops working.
    /// </summary>
    [Function("CreateAuthLink")]
    [Takes(typeof(CreateAuthLinkRequest), Optional = true, NullIsAbsent = true, Validator = typeof(CreateAuthLinkRequestValidator))]
    [Answers(StatusCodes.Status200OK, typeof(ConsentLink))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> CreateAuthLink(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/auth-link")] HttpRequest request,
        string userId,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation, optional: true);
        var link = await basiq.CreateAuthLinkAsync(new(userId), asked.Mobile, cancellation);
        return JsonAnswer.Ok(new ConsentLink(link.Links.Public, link.ExpiresAt));
    }
}
