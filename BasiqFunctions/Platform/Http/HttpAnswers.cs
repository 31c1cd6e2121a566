using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// What every HTTP function runs in, whatever the host: turns everything that can go wrong into problem+json, so that no host
/// shows its own error page.
/// </summary>
public sealed class HttpAnswers(IOptions<HttpOptions> options, TimeProvider clock, ILogger<HttpAnswers> logger)
{
    /// <summary>What is told to wait when Basiq is overloaded or away and did not say for how long.</summary>
    internal static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Dependency, string Code), LogPace> _troubles = [];
    private readonly BodyDeadline _bodyDeadline = new(options.Value.BodyTimeout, clock);

    /// <summary>
    /// Runs a function's work and answers with its result, with the problem that it met or, after
    /// <see cref="HttpOptions.Deadline"/>, with 504, whether or not the work heeds being cancelled.
    /// </summary>
    /// <param name="request">The request; its method and path template name the function in the log, its content never does.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="answer">The work; its token is cancelled when the caller has gone and when the deadline has passed.</param>
    /// <param name="cancellation">The host's sign that the caller has gone.</param>
    /// <param name="late">The problem after the deadline, for work of which more can be said than that it took too long.</param>
    internal async Task<IResult> RunAsync(
        HttpRequest request,
        string function,
        Func<CancellationToken, Task<IResult>> answer,
        CancellationToken cancellation,
        ProblemResult? late = null)
    {
        request.HttpContext.Protect();
        request.HttpContext.Features.Set(_bodyDeadline);
        var aborted = request.HttpContext.RequestAborted;

        // In one host they are the same token, in the other two.
        using var end = cancellation == aborted
            ? CancellationTokenSource.CreateLinkedTokenSource(aborted)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellation, aborted);
        var work = AnswerAsync(function, answer, end.Token);
        try
        {
            return await work.WaitAsync(options.Value.Deadline, clock, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The work itself never throws. What is left of it ends by itself, and nobody waits for that.
            logger.Late(function, options.Value.Deadline);
            await end.CancelAsync();
            return late ?? Problem.Of(
                StatusCodes.Status504GatewayTimeout,
                ProblemCodes.Timeout,
                "This service did not finish in time. What was to be changed may or may not have been changed.");
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong becomes an answer.")]
    private async Task<IResult> AnswerAsync(
        string function, Func<CancellationToken, Task<IResult>> answer, CancellationToken cancellation)
    {
        try
        {
            return await answer(cancellation);
        }
        catch (ProblemException e)
        {
            return e.Problem;
        }
        catch (UnknownJobsException e)
        {
            return ProblemFor(e);
        }
        catch (UnknownConnectionsException e)
        {
            return ProblemFor(e);
        }
        catch (BasiqException e)
        {
            var problem = ProblemFor(e.Failure);

            // What this app refused itself is told by whoever did, once a minute and not by each call.
            if (problem.Status >= 500 && !e.Failure.IsRefusedHere)
                logger.BasiqFailed(function, problem.Status, problem.Code, e.Failure.ToString());
            return problem;
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            return new CallerGone();
        }
        catch (BadHttpRequestException e) when (e.StatusCode is StatusCodes.Status408RequestTimeout)
        {
            return BodyDeadline.TooSlow();
        }
        catch (BadHttpRequestException e) when (e.StatusCode is >= 400 and < 500)
        {
            return new ProblemResult(
                e.StatusCode,
                e.StatusCode is StatusCodes.Status413PayloadTooLarge ? ProblemCodes.BodyTooLarge : ProblemCodes.InvalidInput,
                "The request could not be read.");
        }
        catch (StoreUnavailableException e)
        {
            return Unavailable(function, e);
        }
        catch (Exception e) when (KeyVaultErrors.IsAway(e))
        {
            // Key Vault or storage: the SDKs of both fail alike.
            return KeyVaultErrors.FileTrouble(e) is { } file
                ? Unavailable(function, file)
                : Unavailable(function, e.GetType().Name, KeyVaultErrors.Code(e), "A service behind this one does not answer; try again.");
        }
        catch (Exception e)
        {
            // The message may quote anything, so only where it happened is told: type and stack.
            logger.Unexpected(function, e.GetType().FullName, e.StackTrace);
            return new ProblemResult(500, ProblemCodes.InternalError, "Unexpected error; see the service's log.");
        }
    }

    private ProblemResult Unavailable(string function, StoreUnavailableException e) => Unavailable(
        function, e.Store, e.Code, $"This service cannot use its store '{e.Store}' ({e.Code}); try again.");

    private ProblemResult Unavailable(string function, string dependency, string code, string detail)
    {
        // Every request meets the same trouble, so it is told once a minute.
        if (_troubles.GetOrAdd((dependency, code), static (_, clock) => new LogPace(clock), clock).IsDue(out var count))
            logger.DependencyFailed(function, dependency, code, count);
        return new ProblemResult(StatusCodes.Status503ServiceUnavailable, ProblemCodes.DependencyUnavailable, detail)
        {
            RetryAfter = DefaultRetryAfter,
        };
    }

    /// <summary>The problem that jobs which are not the user's are to our caller.</summary>
    internal static ProblemResult ProblemFor(UnknownJobsException exception)
    {
        var errors = new FieldErrors();
        errors.Add("jobIds", $"contains unknown jobs: {string.Join(", ", exception.JobIds)}.");
        return new ProblemResult(404, ProblemCodes.JobNotFound, "At least one job does not exist or belongs to another user.")
        {
            Errors = errors,
        };
    }

    /// <summary>The problem that connections which are not the user's are to our caller.</summary>
    internal static ProblemResult ProblemFor(UnknownConnectionsException exception)
    {
        var errors = new FieldErrors();
        errors.Add("connectionIds", $"has connections that are unknown: {string.Join(", ", exception.ConnectionIds)}.");
        return new ProblemResult(404, ProblemCodes.ConnectionNotFound, "Some of the connections do not exist, or are not this user's.")
        {
            Errors = errors,
        };
    }

    /// <summary>The problem that a failed call to Basiq is to our caller.</summary>
    internal static ProblemResult ProblemFor(BasiqFailure failure)
    {
        var (status, code, detail) = failure.Kind switch
        {
            BasiqFailureKind.NotFound or BasiqFailureKind.Gone when NotFound(failure.Endpoint) is { } notFound => notFound,
            BasiqFailureKind.Invalid => (400, ProblemCodes.InvalidInput, "Basiq refused the request."),
            BasiqFailureKind.Unauthorized =>
                (502, ProblemCodes.BasiqRefused, "Basiq refused this service's API key or token; whoever runs it must check the key."),
            BasiqFailureKind.Forbidden =>
                (502, ProblemCodes.BasiqRefused, "Basiq denied this service the call; whoever runs it must check the key's permissions."),
            BasiqFailureKind.Overloaded when failure.IsRefusedHere =>
                (429, ProblemCodes.BasiqOverloaded, "This service has used up the requests that it may send to Basiq; try again after Retry-After."),
            BasiqFailureKind.Overloaded => failure.StatusCode is 429
                ? (429, ProblemCodes.BasiqOverloaded, "Basiq takes no more requests for now; try again after Retry-After.")
                : (503, ProblemCodes.BasiqOverloaded, "Basiq is overloaded; try again after Retry-After."),
            BasiqFailureKind.Unavailable =>
                (503, ProblemCodes.BasiqUnavailable, "Basiq is not available; try again after Retry-After."),
            BasiqFailureKind.Timeout => (504, ProblemCodes.BasiqTimeout, "Basiq did not answer in time; try again."),
            BasiqFailureKind.OutcomeUnknown => (
                failure.StatusCode is null or 408 or 504 ? 504 : 502,
                ProblemCodes.OutcomeUnknown,
                "The user may or may not have been created: Basiq gave no usable answer. Basiq does not notice duplicates, so look "
                + "in its dashboard for the user before you send this again."),
            _ => (502, ProblemCodes.BasiqUnusableAnswer, "Basiq's answer could not be used."),
        };
        if (failure.Endpoint is BasiqClient.PurgeEndpoint)
            detail += " The connection's data was not purged at Basiq, and so the connection was not deleted; call again.";
        return new ProblemResult(status, code, detail + Said(failure))
        {
            CorrelationId = failure.CorrelationId,
            RetryAfter = status is 429 or 503 ? failure.RetryAfter ?? DefaultRetryAfter : null,
            Errors = failure.Kind is BasiqFailureKind.Invalid ? ErrorsOf(failure) : null,
        };
    }

    /// <summary>Basiq's own explanation, where it speaks of a subscription and can quote nothing of a person.</summary>
    private static string Said(BasiqFailure failure) =>
        failure.Detail is { } detail && failure.Endpoint?.Contains("/notifications/", StringComparison.Ordinal) is true ? $" Basiq says: {detail}" : "";

    /// <summary>What was not found is the innermost thing that the called endpoint names; null where it names none that callers know.</summary>
    private static (int Status, string Code, string Detail)? NotFound(string? endpoint) => endpoint switch
    {
        not null when endpoint.Contains("{connectionId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.ConnectionNotFound, "Basiq does not know this connection of this user."),
        not null when endpoint.Contains("{accountId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.AccountNotFound, "Basiq does not know this account of this user."),
        not null when endpoint.Contains("{consentId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.ConsentNotFound, "Basiq does not know this consent of this user."),
        not null when endpoint.Contains("{jobId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.JobNotFound, "Basiq does not know this job."),
        not null when endpoint.Contains("{webhookId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.SubscriptionNotFound, "Basiq does not know this subscription any more; make it anew with PUT."),
        not null when endpoint.Contains("{userId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.UserNotFound, "Basiq does not know this user."),
        _ => null,
    };

    /// <summary>
    /// Basiq's own complaints by field. Its explanations are left out: they may quote what was sent, and the client masks only
    /// part of that.
    /// </summary>
    private static FieldErrors ErrorsOf(BasiqFailure failure)
    {
        var errors = new FieldErrors();
        foreach (var source in failure.Sources)
            errors.Add(FieldOf(source), $"was refused by Basiq: {source.Code}.");
        if (errors.Count == 0)
            errors.Add("body", $"was refused by Basiq: {failure.Code}.");
        return errors;
    }

    private static string FieldOf(BasiqErrorSource source) =>
        (source.Parameter ?? source.BodyPath)?.Trim('/').Split('/')[^1] is { Length: > 0 and <= 64 } field
        && field.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? field
            : "body";
}
