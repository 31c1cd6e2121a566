namespace BasiqFunctions.Basiq.Auth;

/// <summary>Mints the server token; apart from <see cref="IBasiqClient"/> since only the token provider may.</summary>
internal interface ITokenEndpoint
{
    /// <summary>Mints a SERVER_ACCESS token (<c>POST /token</c>): its text and its lifetime from the moment of sending.</summary>
    Task<(string AccessToken, TimeSpan Lifetime)> MintServerTokenAsync(CancellationToken cancellationToken);
}
