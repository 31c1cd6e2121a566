using BasiqFunctions.Platform;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// Keeps requests for tokens from Basiq while it refuses the API key: after a refusal none is sent for 5 seconds, then one to see whether
/// the key is taken again, and after each further refusal the wait doubles, to a minute at most. Another key is let through at once.
/// </summary>
/// <remarks>
/// Only an answer to a request that names no user counts, or a 401: what else Basiq says to a request for a user's token may be about
/// the user, and then a caller with made-up ids would keep the key from everybody.
/// </remarks>
internal sealed class ApiKeyRefusals(TimeProvider timeProvider, ILogger<ApiKeyRefusals> logger)
{
    internal static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(5);
    internal static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly LogPace _pace = new(timeProvider);
    private volatile Refusal? _refusal;
    private int _lookups;

    /// <summary>Whether Basiq refused the key when it was last used.</summary>
    public bool AreOn => _refusal is not null;

    /// <summary>Whether the key is refused and it is time to see whether that is still so.</summary>
    public bool AreDue => _refusal is { } refusal && timeProvider.GetUtcNow() >= refusal.Until;

    /// <summary>
    /// Whether a request with this key may be sent now; its answer is to be told to <see cref="Refused"/> or <see cref="Taken"/>.
    /// </summary>
    public bool Admit(ApiKey key)
    {
        if (_refusal is null)
            return true;
        lock (_gate)
        {
            if (_refusal is not { } refusal || refusal.Key != key.Value)
                return true;
            var now = timeProvider.GetUtcNow();
            if (now < refusal.Until)
                return false;

            // One goes to see; should its answer say nothing about the key, the next goes after the same wait.
            _refusal = refusal with { Until = now + refusal.Wait, IsTried = true };
            return true;
        }
    }

    /// <summary>Looks for another key on behalf of a call that was not admitted, if none is looking already; null without one.</summary>
    public async ValueTask<ApiKey?> FindOtherAsync(IApiKeyProvider keys, ApiKey refused, CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _lookups, 1, 0) != 0)
            return null;
        try
        {
            return await keys.GetOtherThanAsync(refused, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _lookups, 0);
        }
    }

    /// <summary>The failure of a call that was not admitted.</summary>
    public BasiqException NotAdmitted(string endpoint)
    {
        WriteLine();
        return new(new(BasiqFailureKind.Unauthorized, BasiqFailure.ApiKeyRefusedCode) { Endpoint = endpoint, IsRefusedHere = true });
    }

    /// <summary>Takes note that Basiq refused a key.</summary>
    public void Refused(ApiKey key)
    {
        lock (_gate)
        {
            var now = timeProvider.GetUtcNow();
            if (_refusal is not { } refusal || refusal.Key != key.Value)
            {
                _refusal = new(key.Value, ShortestWait, now + ShortestWait, IsTried: false);
            }
            else if (refusal.IsTried)
            {
                // The others of the crowd that was refused first do not make the wait any longer.
                var wait = refusal.Wait * 2 < LongestWait ? refusal.Wait * 2 : LongestWait;
                _refusal = new(key.Value, wait, now + wait, IsTried: false);
            }
        }

        WriteLine();
    }

    /// <summary>Takes note that Basiq gave a token for a key.</summary>
    public void Taken()
    {
        if (_refusal is null)
            return;
        lock (_gate)
        {
            if (_refusal is null)
                return;
            _refusal = null;
        }

        Log.KeyTaken(logger);
    }

    private void WriteLine()
    {
        if (_pace.IsDue(out var calls))
            Log.KeyRefused(logger, calls);
    }

    private sealed record Refusal(string Key, TimeSpan Wait, DateTimeOffset Until, bool IsTried)
    {
        public override string ToString() => nameof(Refusal);
    }
}
