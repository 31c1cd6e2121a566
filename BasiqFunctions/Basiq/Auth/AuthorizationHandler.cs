using System.Net;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// The outermost handler of calls to Basiq: attaches the server token or, for <c>POST /token</c>, the API key. When Basiq
/// refuses it (<see cref="BasiqVerdict"/>), the call is made once more with another one, if there is another one. A refusal means that
/// Basiq did nothing, so this is safe for every call.
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
        if (!BasiqVerdict.IsCredentialRefused(BasiqCall.Of(request), response))
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
        var call = BasiqCall.Of(request);
        if (call.LookUpUser is not null && refusals.AreDue)
            await tokens.RefreshAsync(cancellationToken);
        var key = await keys.GetAsync(cancellationToken);
        if (!refusals.Admit(key))
        {
            key = await refusals.FindOtherAsync(keys, key, cancellationToken) is { } changed && refusals.Admit(changed)
                ? changed
                : throw refusals.NotAdmitted(call.Endpoint);
        }

        Authorize(request, key.Authorization);
        var response = await base.SendAsync(request, cancellationToken);
        try
        {
            if (BasiqVerdict.IsCredentialRefused(call, response)
                && await keys.GetOtherThanAsync(key, cancellationToken) is { } other)
            {
                response.Dispose();
                key = other;
                Authorize(request, key.Authorization);
                response = await base.SendAsync(request, cancellationToken);
            }

            if (response.IsSuccessStatusCode)
                refusals.Taken();
            else if (BasiqVerdict.IsCredentialRefused(call, response))
                await TakeRefusalAsync(call, key, response, cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Finds out of whom a refusal speaks. Basiq gives 400, 403 and 404 for a key and for a user alike: so it is asked for the user,
    /// whose own 404 is then the failure, and for a token that names no user.
    /// </summary>
    private async Task TakeRefusalAsync(BasiqCall call, ApiKey key, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (call.LookUpUser is not { } lookUpUser || response.StatusCode is HttpStatusCode.Unauthorized)
        {
            refusals.Refused(key);
            return;
        }

        await lookUpUser(cancellationToken);
        await tokens.RefreshAsync(cancellationToken);
    }

    /// <summary>Sets the header as it is: whatever can be in it has been checked to be printable ASCII.</summary>
    private static void Authorize(HttpRequestMessage request, string authorization)
    {
        request.Headers.Remove("Authorization");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
    }
}
