using System.Net;
using Polly.Timeout;

namespace BasiqFunctions.Basiq;

/// <summary>Which outcomes of an attempt are worth another one, and when.</summary>
internal static class BasiqRetries
{
    /// <summary>The longest wait that is believed and handed on, whatever Basiq's answer says.</summary>
    internal static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Whether the request surely did not reach Basiq, since no connection was made.</summary>
    internal static bool NeverLeft(Exception exception) =>
        exception is HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError
                or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError
                or HttpRequestError.ProxyTunnelError,
        };

    /// <summary>Whether the attempt failed for the moment and may be made again without doing anything twice.</summary>
    internal static bool IsWorthAnother(BasiqCall call, HttpResponseMessage? response, Exception? exception) =>
        exception is not null
            ? NeverLeft(exception) || (call.IsRepeatable && IsTransient(exception))
            : response is { IsSuccessStatusCode: false }
                && ((call.IsRepeatable && IsTransient(response.StatusCode)) || BasiqVerdict.Of(call, response).PassesByWaiting);

    /// <summary>Whether the outcome speaks against Basiq's health rather than against this one request.</summary>
    internal static bool IsOutage(HttpResponseMessage? response, Exception? exception) =>
        exception is not null ? IsTransient(exception) : response is not null && IsTransient(response.StatusCode);

    /// <summary>The wait that <c>Retry-After</c> asks for, in seconds or as a date; null without one.</summary>
    internal static TimeSpan? RetryAfter(HttpResponseMessage? response, TimeProvider timeProvider)
    {
        var wait = response?.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - timeProvider.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return wait <= TimeSpan.Zero ? null : wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }

    internal static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout
            or HttpStatusCode.InternalServerError
            or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout;

    private static bool IsTransient(Exception exception) =>
        exception is TimeoutRejectedException
            or HttpRequestException { HttpRequestError: not HttpRequestError.ConfigurationLimitExceeded };
}
