using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Removal;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

/// <summary>The HTTP functions of users. Users are Basiq's; this app keeps no copy.</summary>
public sealed class UserFunctions(
    IBasiqClient basiq, Removals removals, IdempotentRequests requests, ILogger<UserFunctions> logger)
{
    private static readonly CreateUserValidator Creation = new();
    private static readonly UpdateUserValidator Update = new();

    private static readonly ProblemResult OutcomeUnknown = new BasiqFailure(BasiqFailureKind.OutcomeUnknown, "no-answer").ToProblem();

    /// <summary>
    /// Creates a user: 201 and the user as Basiq gave it. With an <c>Idempotency-Key</c> the same request never makes a second one.
    /// </summary>
    [Function("CreateUser")]
    [Takes(typeof(UserDetails), NullIsAbsent = true, Validator = typeof(CreateUserValidator))]
    [Parameter(IdempotencyKey.Header, IdempotencyKey.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status201Created, typeof(User), Headers = ["Location"])]
    [FailsWith(ProblemCodes.OutcomeUnknown, AsksBasiq = true)]
    public async Task<IResult> CreateUser(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users")] HttpRequest request,
        CancellationToken cancellation)
    {
        // With an Idempotency-Key the same request may be sent again, and is answered by what became of the first.
        if (!request.Headers.ContainsKey(IdempotencyKey.Header))
            request.HttpContext.Features.Set(new AnswerShape(answer => answer is ProblemResult { Code: ProblemCodes.Timeout } ? OutcomeUnknown : answer));
        var details = await JsonBody.ReadAsync(request, Creation, cancellation);
        return await requests.RunAsync(
            request,
            new IdempotentOperation(
                "POST users",
                () => JsonSerializer.SerializeToUtf8Bytes(details, BasiqJson.Default.UserDetails),
                async token =>
                {
                    var user = await basiq.CreateUserAsync(details, token);
                    logger.UserCreated(user.Id);
                    return (Created(user), user.Id);
                })
            {
                IsPersonal = true,
                Restore = async (userId, token) => Created(await basiq.GetUserAsync(userId, token)),
                OutcomeUnknown = OutcomeUnknown,
            },
            cancellation);
    }

    /// <summary>Reads a user: 200 and the user as Basiq gave it.</summary>
    [Function("GetUser")]
    [Answers(StatusCodes.Status200OK, typeof(User))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> GetUser(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(await basiq.GetUserAsync(new(userId), cancellation));

    /// <summary>Changes the given fields of a user: 200 and the user as Basiq gave it.</summary>
    [Function("UpdateUser")]
    [Takes(typeof(UserDetails), Validator = typeof(UpdateUserValidator), Fields = ["email", "mobile", "firstName", "middleName", "lastName"])]
    [Answers(StatusCodes.Status200OK, typeof(User))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> UpdateUser(
        [HttpTrigger(AuthorizationLevel.Function, "patch", Route = "users/{userId}")] HttpRequest request,
        string userId,
        CancellationToken cancellation)
    {
        var details = await JsonBody.ReadAsync(request, Update, cancellation, refusesNull: true);
        return JsonAnswer.Ok(await basiq.UpdateUserAsync(new(userId), details, cancellation));
    }

    /// <summary>Removes a user, with what Basiq has of it, and everything kept of it here: 204, or 202 when that goes on.</summary>
    [Function("DeleteUser")]
    [Answers(StatusCodes.Status204NoContent)]
    [Answers(StatusCodes.Status202Accepted, typeof(RemovalUnderWay), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> DeleteUser(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client) =>
        RemovalAccepted.For(await removals.RunAsync(client, new(userId), null, new DeletionCause(DeletionReason.UserDeleted), AtBasiq.PurgeAndDelete));

    private static JsonAnswer<User> Created(User user) =>
        new(StatusCodes.Status201Created, user) { Location = $"/api/users/{Uri.EscapeDataString(user.Id)}" };
}
