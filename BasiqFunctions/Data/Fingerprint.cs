using System.Buffers.Binary;
using System.IO.Hashing;

namespace BasiqFunctions.Data;

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
