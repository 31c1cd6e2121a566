namespace BasiqFunctions.Snapshots;

/// <summary>What is known of the days that are fetched again: posted transactions, each by all of its bytes.</summary>
internal sealed class KeptOverlap(HashSet<Fingerprint> lines)
{
    /// <summary>How many there are.</summary>
    public int Count { get; } = lines.Count;

    /// <summary>Whether a transaction is known as it is; each is once.</summary>
    public bool Takes(ReadOnlySpan<byte> line) => lines.Remove(Fingerprint.Of(line));
}
