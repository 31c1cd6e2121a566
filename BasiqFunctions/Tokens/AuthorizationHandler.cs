using System.Net;
using BasiqFunctions.Basiq;

namespace BasiqFunctions.Tokens;

/// <summary>
/// The outermost handler of calls to Basiq: attaches the server token or, for <c>POST /token</c>, the API key. When Basiq
/// refuses it, the call is made once more with another one, if there is another one. A refusal means that Basiq did nothing,
/// so this is safe for every call.
/// </summary>
internal sealed class AuthorizationHandler(IServerTokenProvider tokens, IApiKeyProvider keys, ApiKeyRefusals refusals)
    : DelegatingHandler
{
    /// <summary>Whether a text can be a token or key: printable ASCII without spaces, as a header can carry.</summary>
    internal static bool IsCredential(string? text) =>
        text is { Length: > 0 } && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        BasiqCall.Of(request).Credential switch
        {
            BasiqCredential.ApiKey => SendWithKeyAsync(request, cancellationToken),
            BasiqCredential.ClientToken => SendWithClientTokenAsync(request, cancellationToken),
            _ => SendWithTokenAsync(request, cancellationToken),
        };

    /// <summary>The token is minutes old at most: one that is refused is not worth another try.</summary>
    private Task<HttpResponseMessage> SendWithClientTokenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Authorize(request, "Bearer " + BasiqCall.Of(request).ClientToken);
        return base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendWithTokenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var token = await tokens.GetAsync(cancellationToken);
        Authorize(request, token.Authorization);
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
            return response;

        ServerToken other;
        try
        {
            tokens.Invalidate(token);
            other = await tokens.GetAsync(cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }

        if (other.Value == token.Value)
            return response;
        response.Dispose();
        Authorize(request, other.Authorization);
        return await base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendWithKeyAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var key = await keys.GetAsync(cancellationToken);
        if (!refusals.Admit(key))
        {
            key = await refusals.FindOtherAsync(keys, key, cancellationToken) is { } changed && refusals.Admit(changed)
                ? changed
                : throw refusals.NotAdmitted(BasiqCall.Of(request).Endpoint);
        }

        Authorize(request, key.Authorization);
        var response = await base.SendAsync(request, cancellationToken);
        if (ApiKeyRefusals.IsRefusal(response))
        {
            ApiKey? other;
            try
            {
                other = await keys.GetOtherThanAsync(key, cancellationToken);
            }
            catch
            {
                response.Dispose();
                throw;
            }

            if (other is not null)
            {
                response.Dispose();
                key = other;
                Authorize(request, key.Authorization);
                response = await base.SendAsync(request, cancellationToken);
            }
        }

        refusals.Answered(key, response);
        return response;
    }

    /// <summary>Sets the header as it is: whatever can be in it has been checked to be printable ASCII.</summary>
    private static void Authorize(HttpRequestMessage request, string authorization)
    {
        request.Headers.Remove("Authorization");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
    }
}
