using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
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
    /// Runs a function and answers with its result, with the problem that it met or, after <see cref="HttpOptions.Deadline"/>, with 504,
    /// whether or not the function heeds being cancelled. Ids in the path that are none never reach it.
    /// </summary>
    /// <param name="context">The request; nothing of it reaches the log.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="run">Runs it; its token is cancelled when the caller has gone and when the deadline has passed.</param>
    /// <param name="cancellation">The host's sign that the caller has gone.</param>
    internal async Task<IResult> RunAsync(
        HttpContext context, string function, Func<CancellationToken, Task<IResult>> run, CancellationToken cancellation)
    {
        context.Protect();
        context.Features.Set(_bodyDeadline);
        if (RouteId.Refuse(context.Request.RouteValues) is { } refusal)
            return refusal;
        var answer = await WithinDeadlineAsync(context, function, run, cancellation);
        return context.Features.Get<AnswerShape>() is { } shape ? shape.Give(answer) : answer;
    }

    private async Task<IResult> WithinDeadlineAsync(
        HttpContext context, string function, Func<CancellationToken, Task<IResult>> run, CancellationToken cancellation)
    {
        var aborted = context.RequestAborted;

        // In one host they are the same token, in the other two.
        using var end = cancellation == aborted
            ? CancellationTokenSource.CreateLinkedTokenSource(aborted)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellation, aborted);
        var work = AnswerAsync(function, run, end.Token);
        try
        {
            return await work.WaitAsync(options.Value.Deadline, clock, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The work itself never throws. What is left of it ends by itself, and nobody waits for that.
            logger.Late(function, options.Value.Deadline);
            await end.CancelAsync();
            return Problem.Of(
                StatusCodes.Status504GatewayTimeout,
                ProblemCodes.Timeout,
                "This service did not finish in time. What was to be changed may or may not have been changed.");
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong becomes an answer.")]
    private async Task<IResult> AnswerAsync(
        string function, Func<CancellationToken, Task<IResult>> run, CancellationToken cancellation)
    {
        try
        {
            return await run(cancellation);
        }
        catch (ProblemException e)
        {
            return e.Problem;
        }
        catch (Exception e) when (e is IProblem failure)
        {
            var problem = failure.ToProblem();
            if (problem.Status >= 500 && failure.Logged is { } logged)
                logger.UpstreamFailed(function, problem.Status, problem.Code, logged);
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
}

/// <summary>A feature of a request by which a function gives its answers another shape, also those that it does not make itself.</summary>
internal sealed record AnswerShape(Func<IResult, IResult> Give);

/// <summary>
/// For a caller that hung up: nobody reads it, but a host wants an answer. The status is the one that proxies use for this, and
/// nothing is logged.
/// </summary>
internal sealed record CallerGone : IResult, IStatusCodeHttpResult
{
    private const int ClientClosedRequest = 499;

    int? IStatusCodeHttpResult.StatusCode => ClientClosedRequest;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = ClientClosedRequest;
        return Task.CompletedTask;
    }
}
