using System.Buffers.Binary;
using System.IO.Hashing;

namespace BasiqFunctions.Data;

/// <summary>
/// A set of fingerprints in little memory: some 17 bytes for each, in tables so small that growing one copies little and leaves no
/// large array behind. Not for several threads at once.
/// </summary>
internal sealed class FingerprintSet
{
    private const int Tables = 512;
    private const int FirstLength = 4;

    private readonly Table[] _tables = new Table[Tables];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(Fingerprint fingerprint)
    {
        // All zeros is a free place, so the one text in 2^96 that has them gets another.
        if (fingerprint == default)
            fingerprint = new Fingerprint(1, 1);
        if (!_tables[fingerprint.Low % Tables].Add(fingerprint))
            return false;
        Count++;
        return true;
    }

    private struct Table
    {
        private ulong[]? _high;
        private uint[]? _low;
        private int _count;

        public bool Add(Fingerprint fingerprint)
        {
            if (_high is null || _low is null || (_count + 1) * 20L > _high.Length * 17L)
                Grow();
            var at = Find(fingerprint);
            if (_high![at] == fingerprint.High && _low![at] == fingerprint.Low)
                return false;
            (_high[at], _low![at]) = (fingerprint.High, fingerprint.Low);
            _count++;
            return true;
        }

        /// <summary>Where it is, or the free place where it belongs.</summary>
        private readonly int Find(Fingerprint fingerprint)
        {
            var at = (int)(((fingerprint.High >> 32) * (uint)_high!.Length) >> 32);
            while ((_high[at] != 0 || _low![at] != 0) && (_high[at] != fingerprint.High || _low![at] != fingerprint.Low))
                at = at + 1 < _high.Length ? at + 1 : 0;
            return at;
        }

        private void Grow()
        {
            var (high, low) = (_high ?? [], _low ?? []);
            var length = Math.Max(FirstLength, high.Length + (high.Length / 2));
            (_high, _low) = (new ulong[length], new uint[length]);
            for (var i = 0; i < high.Length; i++)
            {
                if (high[i] == 0 && low[i] == 0)
                    continue;
                var at = Find(new Fingerprint(high[i], low[i]));
                (_high[at], _low[at]) = (high[i], low[i]);
            }
        }
    }
}

/// <summary>
/// 96 bits of a hash, by which a text is known again without being kept. Of an account with a million transactions, two share one with
/// a chance of 1 in 10^17.
/// </summary>
internal readonly record struct Fingerprint(ulong High, uint Low)
{
    /// <summary>The bytes of a fingerprint that is written down.</summary>
    public const int Length = sizeof(ulong) + sizeof(uint);

    public static Fingerprint Of(ReadOnlySpan<byte> text)
    {
        var hash = XxHash128.HashToUInt128(text);
        return new Fingerprint((ulong)(hash >> 64), (uint)hash);
    }

    public static Fingerprint Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[sizeof(ulong)..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, High);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[sizeof(ulong)..], Low);
    }
}
