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

/// <summary>A SERVER_ACCESS token: opens every endpoint of Basiq and never leaves the server.</summary>
public sealed class ServerToken
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(5);

    /// <summary>Takes a token and what is known of its life.</summary>
    /// <param name="value">The token itself, a secret.</param>
    /// <param name="mintedAt">When it was asked for.</param>
    /// <param name="expiresAt">When Basiq stops taking it.</param>
    public ServerToken(string value, DateTimeOffset mintedAt, DateTimeOffset expiresAt)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        Value = value;
        Authorization = "Bearer " + value;
        MintedAt = mintedAt;
        ExpiresAt = expiresAt;
        var quarter = (expiresAt - mintedAt) / 4;
        FreshUntil = expiresAt - (quarter < LongestMargin ? quarter : LongestMargin);
    }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset MintedAt { get; }

    /// <summary>When Basiq stops taking it.</summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>
    /// Until when it is handed out: 5 minutes before its expiry, or a quarter of its life before, for one that lives less than
    /// 20 minutes.
    /// </summary>
    public DateTimeOffset FreshUntil { get; }

    /// <summary>The token itself, for the one header that needs it.</summary>
    internal string Value { get; }

    /// <summary>That header, made once: it is long, and goes out with every call.</summary>
    internal string Authorization { get; }

    /// <summary>The expiry alone, never the token.</summary>
    public override string ToString() => $"{nameof(ServerToken)} (expires {ExpiresAt:u})";
}

/// <summary>How the server token is doing.</summary>
/// <param name="Age">Time since the token in memory was minted; null without one.</param>
/// <param name="ExpiresAt">Its expiry; null without one.</param>
/// <param name="KeyVaultError">Code of Key Vault's last failure, null since it last succeeded.</param>
public sealed record TokenHealth(TimeSpan? Age, DateTimeOffset? ExpiresAt, string? KeyVaultError)
{
    /// <summary>Whether Basiq refused the API key when it was last used: no new token can be had.</summary>
    public bool IsApiKeyRefused { get; init; }
}

/// <summary>Mints the server token; apart from <see cref="IBasiqClient"/> since only the token provider may.</summary>
internal interface ITokenEndpoint
{
    /// <summary>Mints a SERVER_ACCESS token (<c>POST /token</c>): its text and its lifetime from the moment of sending.</summary>
    Task<(string AccessToken, TimeSpan Lifetime)> MintServerTokenAsync(CancellationToken cancellationToken);
}
