using System.Net;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// The outermost handler of requests for tokens: attaches the API key. When Basiq refuses it (<see cref="BasiqVerdict"/>), the request is
/// made once more with another one, if there is another one. A refusal means that Basiq did nothing, so this is safe.
/// </summary>
internal sealed class ApiKeyHandler(IApiKeyProvider keys, ApiKeyRefusals refusals) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var call = BasiqCall.Of(request);
        if (call.TryKey is { } tryKey && refusals.AreDue)
            await tryKey(cancellationToken);
        var key = await keys.GetAsync(cancellationToken);
        if (!refusals.Admit(key))
        {
            key = await refusals.FindOtherAsync(keys, key, cancellationToken) is { } changed && refusals.Admit(changed)
                ? changed
                : throw refusals.NotAdmitted(call.Endpoint);
        }

        Authorization.Set(request, key.Authorization);
        var response = await base.SendAsync(request, cancellationToken);
        try
        {
            if (BasiqVerdict.IsCredentialRefused(call, response)
                && await keys.GetOtherThanAsync(key, cancellationToken) is { } other)
            {
                response.Dispose();
                key = other;
                Authorization.Set(request, key.Authorization);
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
        await call.TryKey!(cancellationToken);
    }
}
