using System.Buffers.Binary;
using System.Numerics;

namespace BasiqFunctions.Storage;

/// <summary>
/// CRC-32C, to tell what is damaged from what is sound. (The platform gives the step, which uses the processor's instruction; this
/// is the loop.)
/// </summary>
internal static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
