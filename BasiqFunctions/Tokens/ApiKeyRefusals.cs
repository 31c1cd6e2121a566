using System.Net;
using BasiqFunctions.Basiq;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tokens;

/// <summary>
/// Keeps calls from Basiq while it refuses the API key: after a refusal none is sent for 5 seconds, then one to see whether the key is
/// taken again, and after each further refusal the wait doubles, to a minute at most. Another key is let through at once.
/// </summary>
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

    /// <summary>Whether a request with this key may be sent now; its answer is to be told to <see cref="Answered"/>.</summary>
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

    /// <summary>Takes note of what Basiq answered to a request with a key.</summary>
    public void Answered(ApiKey key, HttpResponseMessage response)
    {
        if (IsRefusal(response))
            Refused(key);
        else if (_refusal is not null && SaysThatTheKeyIsGood(response.StatusCode))
            Taken();
    }

    /// <summary>The failure of a call that was not admitted.</summary>
    public BasiqException NotAdmitted(string endpoint)
    {
        WriteLine();
        return new(new(BasiqFailureKind.Unauthorized, BasiqFailure.ApiKeyRefusedCode) { Endpoint = endpoint, IsRefusedHere = true });
    }

    /// <summary>Whether an answer refuses the key rather than the request or its pace.</summary>
    internal static bool IsRefusal(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && !BasiqRetries.IsOverload(response);

    private static bool SaysThatTheKeyIsGood(HttpStatusCode status) =>
        status is not (HttpStatusCode.Forbidden or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests) && (int)status < 500;

    private void Refused(ApiKey key)
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

    private void Taken()
    {
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
