using System.Text;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Basiq.Auth;

/// <summary><c>POST /token</c>, which the API key authorizes.</summary>
internal sealed class TokenEndpoint(BasiqTransport transport, TokenRequestLimiter limiter) : ITokenEndpoint
{
    public async Task<(string AccessToken, TimeSpan Lifetime)> MintServerTokenAsync(CancellationToken cancellationToken)
    {
        var token = await MintAsync("scope=SERVER_ACCESS", null, null, cancellationToken);
        return (token.AccessToken, TimeSpan.FromSeconds(token.ExpiresIn));
    }

    internal Task<ClientToken> MintAsync(
        string form, Func<CancellationToken, Task>? lookUpUser, Func<CancellationToken, Task>? tryKey, CancellationToken cancellationToken) =>
        transport.GetAsync(
            new(BasiqCall.TokenEndpoint)
            {
                Content = BasiqTransport.Body(Encoding.ASCII.GetBytes(form), "application/x-www-form-urlencoded"),
                LookUpUser = lookUpUser,
                TryKey = tryKey,
                Permit = limiter.AcquireAsync,
            },
            BasiqJson.Default.ClientToken,
            cancellationToken,
            token => token is { AccessToken.Length: > 0, ExpiresIn: > 0 } && !token.AccessToken.AsSpan().ContainsAnyExceptInRange('!', '~'));
}

/// <inheritdoc />
internal sealed class ClientTokens(TokenEndpoint endpoint, IServerTokenProvider tokens) : IClientTokens
{
    public Task<ClientToken> MintAsync(UserId userId, Func<CancellationToken, Task> lookUpUser, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        return endpoint.MintAsync($"scope=CLIENT_ACCESS&userId={Uri.EscapeDataString(userId)}", lookUpUser, tokens.RefreshAsync, cancellationToken);
    }
}
