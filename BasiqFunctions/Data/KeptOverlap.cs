namespace BasiqFunctions.Data;

/// <summary>What is known of the days that are fetched again: posted transactions, each by all of its bytes, with its place among them.</summary>
internal sealed class KeptOverlap(Dictionary<Fingerprint, int> places)
{
    private int _taken;

    /// <summary>How many there are.</summary>
    public int Count { get; } = places.Count;

    /// <summary>Whether those that were taken came in the order in which they are known, without a gap.</summary>
    public bool IsInOrder { get; private set; } = true;

    /// <summary>Whether a transaction is known as it is; each is once.</summary>
    public bool Takes(ReadOnlySpan<byte> line)
    {
        if (!places.Remove(Fingerprint.Of(line), out var place))
            return false;
        IsInOrder &= place == _taken++;
        return true;
    }
}
