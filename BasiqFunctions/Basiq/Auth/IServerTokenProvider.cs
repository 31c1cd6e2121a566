namespace BasiqFunctions.Basiq.Auth;

/// <summary>The one place that hands out the server token; any number of callers share one token and one request for it.</summary>
public interface IServerTokenProvider
{
    /// <summary>
    /// The token in memory until 5 minutes before its expiry, else Key Vault's, else a new one that is stored there.
    /// </summary>
    /// <exception cref="Basiq.BasiqException">No token could be had.</exception>
    ValueTask<ServerToken> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Says that Basiq refused a token: it is not handed out again, here or from Key Vault.</summary>
    void Invalidate(ServerToken token);

    /// <summary>
    /// Mints a token now, and stores it in Key Vault, where the version before the last is disabled. For the timer.
    /// </summary>
    /// <exception cref="Basiq.BasiqException">Basiq gave no token.</exception>
    Task<ServerToken> RefreshAsync(CancellationToken cancellationToken = default);

    /// <summary>What health tells of the token; no secret.</summary>
    TokenHealth GetHealth();
}
