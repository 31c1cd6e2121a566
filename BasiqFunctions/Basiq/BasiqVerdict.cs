using System.Net;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Basiq;

/// <summary>
/// What an answer that is no success says, and of what: of the resource, of what authorizes the call, or, where it is not Basiq's,
/// of nothing. Only this reads it: retries, replacement tokens and keys, and the caller's answer all go by the same verdict.
/// </summary>
/// <param name="Kind">
/// What went wrong. <see cref="BasiqFailureKind.Unauthorized"/> speaks of the key or token that the call brought;
/// <see cref="BasiqFailureKind.NotFound"/> and <see cref="BasiqFailureKind.Gone"/> speak of the resource, and no request for a token has
/// one.
/// </param>
/// <param name="IsTransient">Whether the same call may succeed later without anything being changed.</param>
/// <param name="PassesByWaiting">Whether nothing was done and the call is to be made again after a while, whatever it is.</param>
/// <param name="Error">Basiq's own words; null where the answer has none, and so need not be Basiq's.</param>
internal readonly record struct BasiqVerdict(
    BasiqFailureKind Kind, bool IsTransient, bool PassesByWaiting, BasiqErrorBody? Error)
{
    private const string TooManyRequestsCode = "too-many-requests";

    /// <summary>Whether what authorized the call was refused: a token that may have expired, or the API key.</summary>
    internal static bool IsCredentialRefused(BasiqCall call, HttpResponseMessage response) =>
        !response.IsSuccessStatusCode && Of(call, response).Kind is BasiqFailureKind.Unauthorized;

    internal static BasiqVerdict Of(BasiqCall call, HttpResponseMessage response)
    {
        var error = response.Content is PooledContent body ? BasiqErrorBody.Read(body.Bytes) : null;
        return response.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => Overload(error),
            HttpStatusCode.Unauthorized => Lasting(BasiqFailureKind.Unauthorized, error),
            HttpStatusCode.Forbidden => OfForbidden(call, response, error),
            HttpStatusCode.RequestTimeout or HttpStatusCode.GatewayTimeout => new(BasiqFailureKind.Timeout, true, false, error),
            >= HttpStatusCode.InternalServerError =>
                new(BasiqFailureKind.Unavailable, BasiqRetries.IsTransient(response.StatusCode), false, error),
            >= HttpStatusCode.Ambiguous and < HttpStatusCode.BadRequest => Lasting(BasiqFailureKind.UnusableAnswer, error),
            var status => OfRefusal(call, status, error),
        };
    }

    /// <summary>
    /// 403 has many meanings (Basiq, Errors and API Rate Limiting): too many requests, an expired token, a call that is not for this key
    /// and, where Basiq has not written it, a gateway that takes no more, which passes as overload does.
    /// </summary>
    private static BasiqVerdict OfForbidden(BasiqCall call, HttpResponseMessage response, BasiqErrorBody? error)
    {
        var asksForToken = call.AsksForToken;
        if (!asksForToken && error?.Says("token", "expired") is true)
            return Lasting(BasiqFailureKind.Unauthorized, error);
        if (response.Headers.RetryAfter is not null
            || error?.Code is TooManyRequestsCode
            || error?.Says("invalid request") is true)
            return Overload(error);
        return error is null
            ? new(BasiqFailureKind.Forbidden, true, true, error)
            : Lasting(asksForToken ? BasiqFailureKind.Unauthorized : BasiqFailureKind.Forbidden, error);
    }

    /// <summary>
    /// 400, 404 and their like: believed only in Basiq's own words. Of a request for a token they refuse the key: Basiq answers
    /// <c>POST /token</c> with 404 when the key or its application was deleted (Basiq, Errors).
    /// </summary>
    private static BasiqVerdict OfRefusal(BasiqCall call, HttpStatusCode status, BasiqErrorBody? error)
    {
        var kind = status switch
        {
            HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity => BasiqFailureKind.Invalid,
            HttpStatusCode.NotFound => BasiqFailureKind.NotFound,
            HttpStatusCode.Gone => BasiqFailureKind.Gone,
            _ => BasiqFailureKind.Other,
        };
        if (kind is BasiqFailureKind.Other)
            return Lasting(kind, error);
        if (error is null)
            return new(BasiqFailureKind.UnusableAnswer, true, false, error);
        if (call.AsksForToken)
            return Lasting(BasiqFailureKind.Unauthorized, error);
        return Lasting(kind is BasiqFailureKind.Invalid || call.NamesResource ? kind : BasiqFailureKind.UnusableAnswer, error);
    }

    private static BasiqVerdict Overload(BasiqErrorBody? error) => new(BasiqFailureKind.Overloaded, true, true, error);

    private static BasiqVerdict Lasting(BasiqFailureKind kind, BasiqErrorBody? error) => new(kind, false, false, error);
}
