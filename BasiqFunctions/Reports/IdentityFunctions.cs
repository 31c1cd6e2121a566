using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Reports;

/// <summary>The HTTP functions of who the banks say that a person is. Read from Basiq for each call: nothing of it is kept or logged.</summary>
public sealed class IdentityFunctions(IBasiqClient basiq, IEnumerable<IConsentCheck> consents)
{
    private static readonly IdentityMatchValidator Validator = new();

    /// <summary>Lists a user's identities as Basiq gives them: 200.</summary>
    [Function("ListIdentities")]
    [Answers(StatusCodes.Status200OK, typeof(IdentityList))]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConsentEnded, AsksBasiq = true)]
    public async Task<IResult> ListIdentities(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/identities")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(new IdentityList(await ReadAsync(client, new(userId), cancellation)));

    /// <summary>Compares what the team was told of a person with what the banks hold, and tells how well it agrees and by which rule: 200.</summary>
    [Function("MatchIdentity")]
    [Takes(typeof(IdentityMatchRequest), NullIsAbsent = true, Validator = typeof(IdentityMatchValidator))]
    [Answers(StatusCodes.Status200OK, typeof(IdentityMatch))]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConsentEnded, AsksBasiq = true)]
    public async Task<IResult> MatchIdentity(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/identities/match")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation);
        return JsonAnswer.Ok(IdentityMatch.Of(asked, await ReadAsync(client, new(userId), cancellation)));
    }

    private async Task<IReadOnlyList<Identity>> ReadAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        foreach (var consent in consents)
        {
            if (await consent.HasEndedAsync(client, userId, cancellation))
                throw new ProblemException(Problem.NotFound(ProblemCodes.ConsentEnded, "The user's consent has ended."));
        }

        return await basiq.ListIdentitiesAsync(userId, cancellation);
    }
}

/// <summary>ListIdentities' answer.</summary>
/// <param name="Identities">The identities as Basiq sent them.</param>
internal sealed record IdentityList([property: JsonPropertyName("identities")] IReadOnlyList<Identity> Identities);
