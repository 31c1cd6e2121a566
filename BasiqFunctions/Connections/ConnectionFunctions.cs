using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Connections;

/// <summary>The HTTP functions of a user's connections to banks.</summary>
public sealed class ConnectionFunctions(
    ConnectionStates states, Removals removals, ConnectionRefresh refresh, TimeProvider clock)
{
    private static readonly RefreshRequestValidator Validator = new();

    /// <summary>Lists a user's connections as Basiq gives them, and how each is: 200.</summary>
    [Function("ListConnections")]
    [Parameter("live", "true asks Basiq, also where what it said is kept.")]
    [Answers(StatusCodes.Status200OK, typeof(ConnectionList))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> ListConnections(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/connections")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        Flag(request, "live", out var live) is { } refusal ? refusal : JsonAnswer.Ok(await states.ListAsync(new(userId), live is true, cancellation));

    /// <summary>Removes a connection at Basiq, and the bank's data there and here: 204, or 202 when that goes on.</summary>
    [Function("DeleteConnection")]
    [Parameter("purge", "false leaves with Basiq what it has of the connection.")]
    [Answers(StatusCodes.Status204NoContent)]
    [Answers(StatusCodes.Status202Accepted, typeof(RemovalUnderWay), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConnectionNotFound, AsksBasiq = true)]
    public async Task<IResult> DeleteConnection(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}/connections/{connectionId}")]
        HttpRequest request,
        string userId,
        string connectionId,
        [DurableClient] DurableTaskClient client) =>
        Flag(request, "purge", out var purges) is { } refusal
            ? refusal
            : RemovalAccepted.For(await removals.RunAsync(
                client, new(userId), new(connectionId), new DeletionCause(DeletionReason.ConnectionDeleted), purges is false ? AtBasiq.Delete : AtBasiq.PurgeAndDelete));

    /// <summary>
    /// Has Basiq fetch anew from one bank or all: 202 as StartSync; 200 when that is not worth a visit, or cannot be; 409 when there is no connection,
    /// and 429 when the day's visits are spent.
    /// </summary>
    [Function("RefreshConnections")]
    [Takes(typeof(RefreshRequest), Optional = true, NullIsAbsent = true, Validator = typeof(RefreshRequestValidator))]
    [Answers(StatusCodes.Status200OK, typeof(RefreshSpared))]
    [Answers(StatusCodes.Status202Accepted, typeof(SyncStarted), Headers = ["Location", "Retry-After"])]
    [FailsWith(
        ProblemCodes.UserNotFound, ProblemCodes.ConnectionNotFound, ProblemCodes.JobNotFound, ProblemCodes.NoConnections, ProblemCodes.RefreshBudgetSpent,
        AsksBasiq = true)]
    public async Task<IResult> RefreshConnections(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/refresh")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation, optional: true);
        return await refresh.StartAsync(client, new(userId), asked, cancellation) switch
        {
            { Sync: { } sync } => SyncAccepted.For(sync),
            { Spared: { } spared } => JsonAnswer.Ok(spared),
            { SpentUntil: { } until } => Problem.Of(
                StatusCodes.Status429TooManyRequests, ProblemCodes.RefreshBudgetSpent, "The day's visits of the bank are spent; there are more after Retry-After.") with
            {
                RetryAfter = until - clock.GetUtcNow(),
            },
            _ => Problem.Conflict(ProblemCodes.NoConnections, "The user has no connection to refresh."),
        };
    }

    /// <summary>Reads the one parameter that a function takes: true, false, or neither; gives the refusal of anything else.</summary>
    private static ProblemResult? Flag(HttpRequest request, string name, out bool? value)
    {
        var errors = new FieldErrors();
        QueryParameters.Check(request.Query, errors, name);
        var text = QueryParameters.Value(request.Query, name);
        value = text switch { "true" => true, "false" => false, _ => null };
        if (text is not null && value is null)
            errors.Add(name, "must be true or false.");
        return errors.Count > 0 ? Problem.InvalidInput(errors) : null;
    }
}
