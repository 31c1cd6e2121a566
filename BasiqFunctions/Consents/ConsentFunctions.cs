using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>The HTTP functions around Basiq's consent page: the way there and the way back.</summary>
public sealed class ConsentFunctions(
    ConsentLinks links, ConsentReturns returns, ReturnUrls returnUrls, ConsentLinkRequestValidator validator)
{
    /// <summary>Makes a link to the consent page: 200 <c>{url, expiresAt}</c>.</summary>
    [Function("CreateConsentLink")]
    [Takes(typeof(ConsentLinkRequest), Optional = true, NullIsAbsent = true, Validator = typeof(ConsentLinkRequestValidator))]
    [Answers(StatusCodes.Status200OK, typeof(ConsentLink))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> CreateConsentLink(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/consent-link")] HttpRequest request,
        string userId,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, validator, cancellation, optional: true);
        return JsonAnswer.Ok(await links.CreateAsync(new(userId), asked, cancellation));
    }

    /// <summary>
    /// Takes the browser back from the consent page and starts the sync: 303 to the return URL with <c>syncId</c>, or 202. Without a
    /// bank, 303 with <c>error</c>, or 200. Anonymous, since a browser comes without key; the signed state is what lets it in. A browser
    /// gets problems, and that no bank was connected, as a page.
    /// </summary>
    [Function("ConsentReturn")]
    [Parameter("state", "The state that the consent link carried.", Required = true)]
    [Parameter("jobIds", "The jobs of the banks that were connected, joined by commas.")]
    [Parameter("jobId", "The first of them.")]
    [Answers(StatusCodes.Status200OK, typeof(NoBankConnected))]
    [Answers(StatusCodes.Status202Accepted, typeof(SyncStarted), Headers = ["Location", "Retry-After"])]
    [Answers(StatusCodes.Status303SeeOther, Headers = ["Location"])]
    [FailsWith(ProblemCodes.InvalidState, ProblemCodes.UserNotFound, AsksBasiq = true)]
    public Task<IResult> ConsentReturn(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "consent/return")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        Uri? wayBack = null;
        if (ConsentErrorPage.IsFor(request))
            request.HttpContext.Features.Set(new AnswerShape(AsPage));
        return returns.ReceiveAsync(client, request.Query, url => wayBack = url, cancellation);

        IResult AsPage(IResult answer) => answer switch
        {
            ProblemResult problem => new ConsentErrorPage(problem.Status, problem.Code, wayBack, returnUrls.First)
            {
                CorrelationId = problem.CorrelationId,
                RetryAfter = problem.RetryAfter,
            },
            JsonAnswer<NoBankConnected> none => new ConsentErrorPage(none.Status, none.Value.Error ?? ConsentErrorPage.Done, wayBack, returnUrls.First),
            _ => answer,
        };
    }
}
