using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
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
    IBasiqClient basiq, ConnectionRemoval removal, ConnectionRefresh refresh, ConnectionAttentions attentions)
{
    private static readonly RefreshRequestValidator Validator = new();

    /// <summary>Lists a user's connections as Basiq gives them: 200.</summary>
    [Function("ListConnections")]
    [Answers(StatusCodes.Status200OK, typeof(ConnectionList))]
    [FailsWith(ProblemCodes.UserNotFound, AsksBasiq = true)]
    public async Task<IResult> ListConnections(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/connections")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(await ListAsync(userId, cancellation));

    /// <summary>Removes a connection at Basiq, and the bank's data there and here: 204, or 202 when the latter goes on.</summary>
    [Function("DeleteConnection")]
    [Answers(StatusCodes.Status204NoContent)]
    [Answers(StatusCodes.Status202Accepted, typeof(RemovalUnderWay), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConnectionNotFound, AsksBasiq = true)]
    public async Task<IResult> DeleteConnection(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}/connections/{connectionId}")]
        HttpRequest request,
        string userId,
        string connectionId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) =>
        RemovalAccepted.For(await removal.RemoveAsync(client, userId, connectionId, cancellation));

    /// <summary>Has Basiq fetch anew from one bank or all: 202 as StartSync, 409 when there is no connection.</summary>
    [Function("RefreshConnections")]
    [Takes(typeof(RefreshRequest), Optional = true, NullIsAbsent = true, Validator = typeof(RefreshRequestValidator))]
    [Answers(StatusCodes.Status202Accepted, typeof(SyncStarted), Headers = ["Location", "Retry-After"])]
    [FailsWith(
        ProblemCodes.UserNotFound, ProblemCodes.ConnectionNotFound, ProblemCodes.JobNotFound, ProblemCodes.NoConnections, AsksBasiq = true)]
    public async Task<IResult> RefreshConnections(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/refresh")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation, optional: true);
        return await refresh.StartAsync(client, userId, asked.ConnectionId, cancellation) is { } sync
            ? SyncAccepted.For(sync)
            : Problem.Conflict(ProblemCodes.NoConnections, "The user has no connection to refresh.");
    }

    private async Task<ConnectionList> ListAsync(string userId, CancellationToken cancellation)
    {
        var connections = await basiq.ListConnectionsAsync(userId, cancellation);
        var known = connections.Select(connection => connection.Id).ToHashSet(StringComparer.Ordinal);
        ConnectionAttention[] attention =
            [.. (await attentions.ListAsync(userId, cancellation)).Where(matter => known.Contains(matter.ConnectionId))];
        return new ConnectionList(connections, attention.Length == 0 ? null : attention);
    }
}

/// <summary>ListConnections' answer: the connections as Basiq sent them.</summary>
/// <param name="Connections">The connections.</param>
/// <param name="Attention">What is known to be the matter with some of them; left out when nothing is.</param>
internal sealed record ConnectionList(
    [property: JsonPropertyName("connections")] IReadOnlyList<Connection> Connections,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("attention")]
    IReadOnlyList<ConnectionAttention>? Attention = null);
