using System.Buffers.Binary;
using System.Numerics;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// CRC-32C, to tell what is damaged from what is sound. (The platform gives the step, which uses the processor's instruction; this
/// is the loop.)
/// </summary>
internal static class Crc32C
{
    /// <summary>Where a checksum begins that is taken piece by piece.</summary>
    public const uint Start = uint.MaxValue;

    public static uint Compute(ReadOnlySpan<byte> bytes) => End(Append(Start, bytes));

    /// <summary>Takes a checksum that was begun over further bytes.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    /// <summary>The checksum over all that was appended.</summary>
    public static uint End(uint crc) => ~crc;
}
