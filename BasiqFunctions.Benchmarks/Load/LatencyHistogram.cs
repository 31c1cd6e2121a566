using System.Numerics;

namespace BasiqFunctions.Benchmarks.Load;

/// <summary>Counts durations in buckets that are at most 3 % wide, so that any number of them takes the same memory.</summary>
internal sealed class LatencyHistogram
{
    private const int BitsOfDetail = 5;
    private const int PerPower = 1 << BitsOfDetail;

    private readonly long[] _counts = new long[(64 - BitsOfDetail) * PerPower];

    public long Count { get; private set; }

    /// <param name="nanoseconds">The duration; a negative one counts as none.</param>
    public void Add(long nanoseconds)
    {
        _counts[BucketOf(ulong.CreateSaturating(nanoseconds))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var bucket = 0; bucket < _counts.Length; bucket++)
            _counts[bucket] += other._counts[bucket];
        Count += other.Count;
    }

    /// <summary>The duration, in milliseconds, that this share of all durations does not exceed; 0 without any.</summary>
    /// <param name="share">From 0 to 1.</param>
    public double Percentile(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        for (var (bucket, seen) = (0, 0L); bucket < _counts.Length && Count > 0; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank)
                return UpperEdge(bucket) / 1e6;
        }

        return 0;
    }

    private static int BucketOf(ulong value)
    {
        if (value < PerPower)
            return (int)value;
        var power = BitOperations.Log2(value) - BitsOfDetail;
        return ((power + 1) * PerPower) + (int)((value >> power) - PerPower);
    }

    private static double UpperEdge(int bucket)
    {
        if (bucket < PerPower)
            return bucket;
        var power = (bucket / PerPower) - 1;
        return Math.ScaleB((bucket % PerPower) + PerPower + 1, power);
    }
}
