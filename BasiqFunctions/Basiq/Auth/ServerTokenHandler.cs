namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// The outermost handler of data calls: attaches the server token. When Basiq refuses it (<see cref="BasiqVerdict"/>), the call is made
/// once more with another one, if there is another one. A refusal means that Basiq did nothing, so this is safe for every call.
/// </summary>
internal sealed class ServerTokenHandler(IServerTokenProvider tokens) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var call = BasiqCall.Of(request);

        // A token that was minted for the call is minutes old at most: one that is refused is not worth another try.
        if (call.ClientToken is { } clientToken)
        {
            Authorization.Set(request, "Bearer " + clientToken);
            return await base.SendAsync(request, cancellationToken);
        }

        var token = await tokens.GetAsync(cancellationToken);
        Authorization.Set(request, token.Authorization);
        var response = await base.SendAsync(request, cancellationToken);
        if (!BasiqVerdict.IsCredentialRefused(call, response))
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
        Authorization.Set(request, other.Authorization);
        return await base.SendAsync(request, cancellationToken);
    }
}

/// <summary>What authorizes a request.</summary>
internal static class Authorization
{
    /// <summary>Whether a text can be a token or key: printable ASCII without spaces, as a header can carry.</summary>
    internal static bool IsCredential(string? text) =>
        text is { Length: > 0 } && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>Sets the header as it is: whatever can be in it has been checked to be printable ASCII.</summary>
    internal static void Set(HttpRequestMessage request, string authorization)
    {
        request.Headers.Remove("Authorization");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
    }
}
