namespace BasiqFunctions.Basiq.Auth;

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
