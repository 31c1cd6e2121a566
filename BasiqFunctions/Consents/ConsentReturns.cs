using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

/// <summary>Receives the person that the consent page sends back: starts the sync that the state allows, once.</summary>
public sealed class ConsentReturns(ConsentStates states, ReturnUrls returnUrls, Syncs syncs, ConnectionStates connections, ILogger<ConsentReturns> logger)
{
    /// <summary>
    /// Starts the sync of the jobs in the query, or finds it when the browser comes a second time, and answers with where the
    /// browser goes next or, when the state names no place, as StartSync does. A person who connected no bank goes back to the
    /// return URL with <c>error=no-bank-connected</c>, or is told so where there is none; without the error, where the link was to
    /// manage or extend a consent.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="query">The query that the consent page sent the browser back with.</param>
    /// <param name="onWayBack">Is told the return URL as soon as it is known to be ours and allowed, be the state expired.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ProblemException">400: the state is not one of ours, has expired or is of another user; or the jobs are malformed.</exception>
    /// <exception cref="BasiqException">Basiq could not be asked for the jobs.</exception>
    internal async Task<IResult> ReceiveAsync(
        DurableTaskClient client, IQueryCollection query, Action<Uri> onWayBack, CancellationToken cancellation)
    {
        // A state given twice is no state: nobody knows which of them others would read.
        if (await states.VerifyAsync(QueryParameters.Value(query, "state"), cancellation) is not { } state)
            throw InvalidState();
        var next = returnUrls.Allowed(state.ReturnUrl);
        if (next is not null)
            onWayBack(next);
        if (!states.IsCurrent(state) || (next is null && state.ReturnUrl is not null))
            throw InvalidState();
        if (JobIdList.IsAbsent(query))
        {
            var error = state.ConnectsNoBank ? null : NoBankConnected.Code;
            return next is null
                ? JsonAnswer.Ok(new NoBankConnected(error))
                : new SeeOther(error is null ? next.AbsoluteUri : QueryHelpers.AddQueryString(next.AbsoluteUri, "error", error));
        }

        var jobIds = JobIdList.From(query);
        await connections.ForgetAsync(state.UserId, cancellation);
        try
        {
            // A bank that was connected anew may tell its history otherwise than before.
            var sync = await syncs.StartAsync(client, state.UserId, jobIds, cancellation, isFull: true);
            return next is null
                ? SyncAccepted.For(sync)
                : new SeeOther(QueryHelpers.AddQueryString(next.AbsoluteUri, "syncId", sync.SyncId));
        }
        catch (UnknownJobsException)
        {
            logger.StateBorrowed(state.UserId);
            throw InvalidState();
        }
    }

    private static ProblemException InvalidState() => new(Problem.Of(
        StatusCodes.Status400BadRequest, ProblemCodes.InvalidState,
        "The state is missing, has expired, or belongs to another user than the jobs; start again with a new consent link."));
}

/// <summary>ConsentReturn's answer for a person who connected no bank: there is nothing to sync.</summary>
/// <param name="Error"><c>no-bank-connected</c>, the word that a return URL gets in its query; left out where no bank was to be connected.</param>
public sealed record NoBankConnected([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] string? Error)
{
    /// <summary>What it says.</summary>
    internal const string Code = "no-bank-connected";
}

/// <summary>The jobs with which the consent page sends a person back: <c>jobIds=a,b</c>, also <c>jobId=a</c>.</summary>
internal static class JobIdList
{
    /// <summary>More banks than anybody connects in one visit.</summary>
    private const int Most = 50;

    /// <summary>Whether the consent page gave no jobs at all: the person connected no bank.</summary>
    public static bool IsAbsent(IQueryCollection query) => !Given(query).Any();

    /// <summary>The ids, each once; none when they are absent.</summary>
    /// <exception cref="ProblemException">400, naming <c>jobIds</c>.</exception>
    public static IReadOnlyList<JobId> From(IQueryCollection query)
    {
        List<JobId> ids = [];
        foreach (var id in Given(query))
        {
            if (!RouteId.IsValid(id))
                throw Refuse("must be ids of 1 to 64 letters, digits, '_' and '-', joined by commas.");
            if (!ids.Contains(new(id)))
                ids.Add(new(id));
            if (ids.Count > Most)
                throw Refuse(string.Create(CultureInfo.InvariantCulture, $"must be at most {Most}."));
        }

        return ids;
    }

    private static IEnumerable<string> Given(IQueryCollection query) =>
        query["jobIds"].Concat(query["jobId"])
            .SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static ProblemException Refuse(string message) => new(Problem.InvalidInput("jobIds", message));
}
