using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// Counts the requests for tokens of all instances together, in a row of a table, and takes no more than the settings allow. Basiq
/// refuses more than 1,500 in 5 minutes, and a refusal would hit the server token as well (Basiq, Authentication): so some permits are
/// kept for that one.
/// </summary>
/// <remarks>
/// Callers that wait while the row is read and written are all served by the next turn: a crowd costs a handful of turns, and
/// no permit lies unused with an instance. A crowd that must be refused is refused without the row. While the table is out of reach
/// requests go uncounted, and Basiq's own refusal is what holds them.
/// </remarks>
internal sealed class TokenRequestLimiter(
    [FromKeyedServices(BasiqOptions.Section)] IRecordTable table,
    IOptions<BasiqOptions> options,
    TimeProvider clock,
    ILogger<TokenRequestLimiter> logger)
{
    private const string Partition = "token-requests";
    private const string Row = "taken";

    /// <summary>How long a turn may take, with those of other instances that come in between.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ComeBack = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly LogPace _uncounted = new(clock);
    private readonly List<long> _returned = [];
    private List<(bool ForServerToken, TaskCompletionSource<TokenPermit> Permit)> _waiting = [];
    private bool _isAsking;
    private TableRecord? _row;
    private long _fullForClientsUntil;

    /// <summary>How many permits only the server token gets: a twentieth.</summary>
    internal static int ReservedOf(int limit) => Math.Max(1, limit / 20);

    /// <summary>A lease for one attempt; one that is not acquired says when to come back.</summary>
    public async ValueTask<RateLimitLease> AcquireAsync(BasiqCall call)
    {
        var permit = await TakeAsync(forServerToken: call.LookUpUser is null);
        return permit.IsGranted ? new Lease(this, permit, call) : new RefusedLease(permit.RetryAfter);
    }

    /// <summary>Takes a permit, or says when the next will be free.</summary>
    /// <param name="forServerToken">Whether it may be one of the reserved.</param>
    public ValueTask<TokenPermit> TakeAsync(bool forServerToken)
    {
        if (options.Value.TokenRequestLimit is null)
            return new(TokenPermit.Uncounted);
        var now = clock.GetUtcNow().UtcTicks;
        if (!forServerToken && Volatile.Read(ref _fullForClientsUntil) is var fullUntil && now < fullUntil)
            return new(TokenPermit.Refused(TimeSpan.FromTicks(fullUntil - now)));
        var permit = new TaskCompletionSource<TokenPermit>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add((forServerToken, permit));
            if (_isAsking)
                return new(permit.Task);
            _isAsking = true;
        }

        _ = AskAsync();
        return new(permit.Task);
    }

    /// <summary>Returns a permit that no request was sent with; others have it from the next turn on.</summary>
    public void GiveBack(TokenPermit permit)
    {
        if (!permit.IsCounted)
            return;
        lock (_gate)
            _returned.Add(permit.Segment);
        Volatile.Write(ref _fullForClientsUntil, 0);
    }

    /// <summary>Takes turns at the row for as long as somebody waits.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever is the matter with the table, tokens are to be had.")]
    private async Task AskAsync()
    {
        while (true)
        {
            List<(bool ForServerToken, TaskCompletionSource<TokenPermit> Permit)> asking;
            long[] returned;
            lock (_gate)
            {
                (asking, _waiting, returned) = (_waiting, [], [.. _returned]);
                _isAsking = asking.Count > 0;
                if (!_isAsking)
                    return;
                _returned.Clear();
            }

            asking = [.. asking.OrderByDescending(one => one.ForServerToken)];
            TokenPermit[] permits;
            try
            {
                using var patience = new CancellationTokenSource(Patience, clock);

                // What is slow may also be slow to heed its cancellation.
                permits = await TurnAsync([.. asking.Select(one => one.ForServerToken)], returned, patience.Token).WaitAsync(patience.Token);
            }
            catch (Exception exception)
            {
                _row = null;
                if (_uncounted.IsDue(out var turns))
                    Log.TokenRequestsUncounted(logger, exception.GetType().Name, turns);
                permits = [.. asking.Select(_ => TokenPermit.Uncounted)];
            }

            for (var i = 0; i < permits.Length; i++)
                asking[i].Permit.SetResult(permits[i]);
        }
    }

    private async Task<TokenPermit[]> TurnAsync(bool[] forServerToken, long[] returned, CancellationToken cancellation)
    {
        var limit = options.Value.TokenRequestLimit!.Value;
        var limitOfClients = limit - ReservedOf(limit);
        while (true)
        {
            // The row as this instance left it is good until another has changed it.
            var found = _row ?? await table.FindAsync(Partition, Row, cancellation);
            var now = clock.GetUtcNow();
            var taken = TokenWindow.Read(found is { Damage: null } ? found.Content : null, options.Value.TokenRequestWindow, now);
            foreach (var segment in returned)
                taken.GiveBack(segment);
            var permits = Array.ConvertAll(
                forServerToken, isForServer => taken.Take(isForServer ? limit : limitOfClients, now));
            if (!Array.Exists(permits, permit => permit.IsCounted) && returned.Length == 0)
            {
                _row = found;
                return Noted(forServerToken, permits, now);
            }

            var row = new TableRecord(Partition, Row, taken.ToContent()) { ExpiresAt = now + (2 * options.Value.TokenRequestWindow), ETag = found?.ETag };
            _row = await (found is null ? table.TryAddAsync(row, cancellation) : table.TryReplaceAsync(row, cancellation));
            if (_row is not null)
                return Noted(forServerToken, permits, now);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Remembers until when clients are refused, so that the rest of a crowd needs no turn.</summary>
    private TokenPermit[] Noted(bool[] forServerToken, TokenPermit[] permits, DateTimeOffset now)
    {
        for (var i = 0; i < permits.Length; i++)
        {
            if (!forServerToken[i] && !permits[i].IsGranted)
                Volatile.Write(ref _fullForClientsUntil, (now + permits[i].RetryAfter).UtcTicks);
        }

        return permits;
    }

    /// <summary>Counts until it leaves the window, unless nothing was sent, as when the circuit breaker is open.</summary>
    private sealed class Lease(TokenRequestLimiter limiter, TokenPermit permit, BasiqCall call) : RateLimitLease
    {
        private readonly int _attemptsBefore = call.Attempts;

        public override bool IsAcquired => true;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
        {
            metadata = null;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing && call.Attempts == _attemptsBefore)
                limiter.GiveBack(permit);
        }
    }
}

/// <summary>Whether a token may be requested.</summary>
/// <param name="IsGranted">Whether it may.</param>
/// <param name="Segment">Where the request is counted; negative when it is not.</param>
/// <param name="RetryAfter">When not, after which time the next permit is free.</param>
internal readonly record struct TokenPermit(bool IsGranted, long Segment, TimeSpan RetryAfter)
{
    private const long Nowhere = -1;

    public static TokenPermit Uncounted { get; } = new(true, Nowhere, TimeSpan.Zero);

    public bool IsCounted => IsGranted && Segment != Nowhere;

    public static TokenPermit Granted(long segment) => new(true, segment, TimeSpan.Zero);

    public static TokenPermit Refused(TimeSpan retryAfter) => new(false, Nowhere, retryAfter);
}
