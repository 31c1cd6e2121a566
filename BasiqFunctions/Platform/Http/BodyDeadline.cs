using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// The time in which a request's body must arrive: a feature of the request, so that it holds in every host, behind whatever
/// server.
/// </summary>
internal sealed class BodyDeadline(TimeSpan limit, TimeProvider clock)
{
    /// <summary>Reads under the deadline of the request, if it has one.</summary>
    /// <exception cref="ProblemException">408: it has passed.</exception>
    public static async Task<T> RunAsync<T>(
        HttpRequest request, Func<CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        if (request.HttpContext.Features.Get<BodyDeadline>() is not { } deadline)
            return await read(cancellation);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var reading = read(end.Token);

        // Most bodies come with their headers: then no timer has to be made.
        if (reading.IsCompletedSuccessfully)
            return await reading;
        using var timer = new CancellationTokenSource(deadline.Limit, deadline.Clock);
        using var passed = timer.Token.UnsafeRegister(static end => ((CancellationTokenSource)end!).Cancel(), end);
        try
        {
            return await reading;
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ProblemException(TooSlow());
        }
    }

    /// <summary>408, for a body that came too slowly.</summary>
    public static ProblemResult TooSlow() =>
        Problem.Of(StatusCodes.Status408RequestTimeout, ProblemCodes.BodyTimeout, "The body did not arrive in time.");

    private TimeSpan Limit => limit;

    private TimeProvider Clock => clock;
}
