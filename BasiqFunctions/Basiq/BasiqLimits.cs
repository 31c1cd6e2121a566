using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

/// <summary>What every attempt needs before it is sent: the permit that the call asks for, or one of the places for data calls.</summary>
internal sealed class BasiqLimits : IDisposable
{
    /// <summary>How long a data call waits for a place before it is refused.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>So many calls may wait for each place: more would not get one in time.</summary>
    private const int WaitingPerPlace = 20;

    private static readonly RateLimitLease NoPlace = new RefusedLease(TimeSpan.FromSeconds(1));

    private readonly TimeProvider _timeProvider;
    private readonly ConcurrencyLimiter _places;

    public BasiqLimits(IOptions<BasiqOptions> options, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        var places = options.Value.MaxConcurrentCalls;
        _places = new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = places,
            QueueLimit = places * WaitingPerPlace,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>A lease for one attempt; one that is not acquired says when to come back.</summary>
    public ValueTask<RateLimitLease> AcquireAsync(BasiqCall call, CancellationToken cancellationToken)
    {
        if (call.Permit is { } permit)
            return permit(call);

        var place = _places.AttemptAcquire();
        if (place.IsAcquired)
            return new(place);
        place.Dispose();
        return WaitForPlaceAsync(cancellationToken);
    }

    public void Dispose() => _places.Dispose();

    private async ValueTask<RateLimitLease> WaitForPlaceAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var place = await _places.AcquireAsync(cancellationToken: either.Token);
            if (place.IsAcquired)
                return place;
            place.Dispose();
            return NoPlace;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return NoPlace;
        }
    }
}

/// <summary>No permit, and when to come back.</summary>
internal sealed class RefusedLease(TimeSpan retryAfter) : RateLimitLease
{
    public override bool IsAcquired => false;

    public override IEnumerable<string> MetadataNames => [MetadataName.RetryAfter.Name];

    public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
    {
        metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
        return metadata is not null;
    }
}
