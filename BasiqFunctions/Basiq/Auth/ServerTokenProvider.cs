using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Basiq.Auth;

/// <inheritdoc />
/// <remarks>
/// At most one task that gets a token runs per process; callers that find no token in memory wait for it. It belongs to none of
/// them, so that no caller's cancellation ends it, and a failed one is simply followed by the next.
/// </remarks>
internal sealed class ServerTokenProvider(
    ServerTokenVault vault,
    ITokenEndpoint endpoint,
    ApiKeyRefusals refusals,
    Instruments instruments,
    TimeProvider timeProvider,
    ILogger<ServerTokenProvider> logger)
    : IServerTokenProvider
{
    /// <summary>
    /// When Basiq refuses even the token that replaced a refused one, a third will not help: none is minted for so long, or
    /// every call would cost a token request.
    /// </summary>
    private static readonly TimeSpan PauseAfterReplacement = TimeSpan.FromSeconds(5);

    /// <summary>
    /// So long after a token was taken, Key Vault is asked whether another instance has stored one at the same time: longer than a
    /// mint with its retries and the storing take together, so that all instances then see the same latest version.
    /// </summary>
    internal static readonly TimeSpan SettleAfter = TimeSpan.FromSeconds(90);

    /// <summary>And then again and again: only the instance that runs the timer learns of its new token by itself.</summary>
    internal static readonly TimeSpan SettleAgainAfter = TimeSpan.FromMinutes(10);

    /// <summary>While Basiq refuses the API key, Key Vault alone may bring a token: it is asked this often, not by every call.</summary>
    private static readonly TimeSpan PauseBetweenReads = TimeSpan.FromSeconds(1);

    /// <summary>Outcome of a refresh whose token Key Vault did not take: it serves this process alone.</summary>
    private const string NotStored = "not-stored";

    private readonly Lock _gate = new();
    private volatile Held? _held;
    private Task<ServerToken>? _pending;
    private readonly LogPace _kept = new(timeProvider);
    private string? _refused;
    private DateTimeOffset _lastRead = DateTimeOffset.MinValue;

    public ValueTask<ServerToken> GetAsync(CancellationToken cancellationToken = default)
    {
        var now = timeProvider.GetUtcNow();
        if (_held is not { } held || now >= held.Token.FreshUntil)
            return new(WaitForTokenAsync(cancellationToken));
        if (now >= held.SettleAt)
            BeginToSettle(held);
        return new(held.Token);
    }

    public void Invalidate(ServerToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        lock (_gate)
        {
            if (_held is not { } held
                || !ReferenceEquals(held.Token, token)
                || (held.ReplacesRefused && timeProvider.GetUtcNow() - held.TakenAt < PauseAfterReplacement))
                return;
            _refused = token.Value;
            _held = null;
        }

        Log.TokenRefused(logger);
    }

    public async Task<ServerToken> RefreshAsync(CancellationToken cancellationToken = default)
    {
        Task<ServerToken> mine;
        while (true)
        {
            Task<ServerToken>? other;
            lock (_gate)
            {
                if (_pending is not { IsCompleted: false })
                {
                    mine = _pending = RunDetached(MintAsync);
                    break;
                }

                other = _pending;
            }

            // Whether it succeeds is its passengers' concern; this one only waits for its turn.
            await ((Task)other).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return await mine.WaitAsync(cancellationToken);
    }

    public TokenHealth GetHealth()
    {
        var held = _held?.Token;
        return new(timeProvider.GetUtcNow() - held?.MintedAt, held?.ExpiresAt, vault.LastError) { IsApiKeyRefused = refusals.AreOn };
    }

    private async Task<ServerToken> WaitForTokenAsync(CancellationToken cancellationToken) =>
        await JoinFlight().WaitAsync(cancellationToken);

    private Task<ServerToken> JoinFlight()
    {
        lock (_gate)
        {
            if (_held is { } held && timeProvider.GetUtcNow() < held.Token.FreshUntil)
                return Task.FromResult(held.Token);
            if (_pending is not { IsCompleted: false })
                _pending = RunDetached(ReadOrMintAsync);
            return _pending;
        }
    }

    /// <summary>Has Key Vault asked in the background: the token in memory is good and nobody waits.</summary>
    private void BeginToSettle(Held held)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_held, held))
                return;
            _held = held with { SettleAt = timeProvider.GetUtcNow() + SettleAgainAfter };
        }

        RunDetached(() => SettleAsync(held));
    }

    private async Task<ServerToken> SettleAsync(Held mine)
    {
        if (await vault.ReadAsync() is not { } latest || latest.Value == mine.Token.Value)
            return mine.Token;

        // Key Vault did not take this instance's own, and still has the one that it replaced, which Basiq may have refused.
        if (mine.Version is null && latest.MintedAt < mine.Token.MintedAt)
            return mine.Token;
        lock (_gate)
        {
            // A newer one of this instance's own, or a refusal, came in between; or it would be no gain.
            var now = timeProvider.GetUtcNow();
            if (!ReferenceEquals(_held?.Token, mine.Token) || latest.Value == _refused || latest.FreshUntil <= now)
                return mine.Token;
            _held = new(latest, now, now + SettleAfter, ReplacesRefused: false);
        }

        Log.TokenAgreedOn(logger);

        // No later version names it: the latest replaced the one that it replaced itself.
        if (mine.Version is { } version)
            await vault.DisableAsync(version, CancellationToken.None);
        return latest;
    }

    /// <summary>Starts away from the caller, its locks and its context, and sees to it that a failure is never unobserved.</summary>
    private static Task<ServerToken> RunDetached(Func<Task<ServerToken>> get)
    {
        var running = Task.Run(get);
        _ = running.ContinueWith(
            static failed => _ = failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return running;
    }

    private async Task<ServerToken> ReadOrMintAsync()
    {
        var now = timeProvider.GetUtcNow();
        if (!refusals.AreOn || now - _lastRead >= PauseBetweenReads)
        {
            _lastRead = now;
            if (await vault.ReadAsync() is { } stored && Hold(stored, isMinted: false))
                return stored;
        }

        try
        {
            return await MintAsync();
        }
        catch (BasiqException exception) when (_held is { } held && timeProvider.GetUtcNow() < held.Token.ExpiresAt)
        {
            // Close to its end and still good: better than none while Basiq mints no other.
            if (_kept.IsDue(out _))
                Log.TokenKept(logger, exception.Failure.Kind, held.Token.ExpiresAt);
            return held.Token;
        }
    }

    private async Task<ServerToken> MintAsync()
    {
        var mintedAt = timeProvider.GetUtcNow();
        string accessToken;
        TimeSpan lifetime;
        try
        {
            (accessToken, lifetime) = await endpoint.MintServerTokenAsync(CancellationToken.None);
        }
        catch (BasiqException exception)
        {
            instruments.TokenRefreshed(BasiqOutcome.Of(exception.Failure.Kind));
            throw;
        }

        var token = new ServerToken(accessToken, mintedAt, mintedAt + lifetime);
        Hold(token, isMinted: true);
        Log.TokenMinted(logger, token.ExpiresAt);
        var version = await vault.StoreAsync(token);
        instruments.TokenRefreshed(version is null ? NotStored : Instruments.Success);
        lock (_gate)
        {
            if (ReferenceEquals(_held?.Token, token))
                _held = _held with { Version = version };
        }

        return token;
    }

    /// <summary>Takes a token into memory, unless it was read and is the refused one or about to expire.</summary>
    private bool Hold(ServerToken token, bool isMinted)
    {
        lock (_gate)
        {
            var now = timeProvider.GetUtcNow();
            if (!isMinted && (token.Value == _refused || token.FreshUntil <= now))
                return false;
            _held = new(token, now, now + SettleAfter, ReplacesRefused: isMinted && _refused is not null);
            _refused = null;
            return true;
        }
    }

    /// <param name="Token">The token.</param>
    /// <param name="TakenAt">Since when it is in memory.</param>
    /// <param name="SettleAt">When Key Vault is asked for another instance's.</param>
    /// <param name="ReplacesRefused">Whether it was minted because Basiq refused the one before.</param>
    /// <param name="Version">Its version in Key Vault, where this instance has stored it.</param>
    private sealed record Held(
        ServerToken Token, DateTimeOffset TakenAt, DateTimeOffset SettleAt, bool ReplacesRefused, string? Version = null);
}
