using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>Checksums over the rows of the journal: all columns of a row, its key included, so that none passes for another.</summary>
internal static class JournalChecksum
{
    private const int MostOnStack = 1024;

    /// <param name="record">The row.</param>
    /// <param name="turns">How many turns the history has.</param>
    public static uint OfInstance(InstanceRecord record, int turns)
    {
        var crc = Append(Append(Crc32C.Start, record.InstanceId), record.Name);
        crc = Append(crc, (int)record.Status);
        crc = Append(Append(crc, record.CreatedAt.UtcTicks), record.UpdatedAt.UtcTicks);
        crc = Append(Append(crc, record.Input), record.CustomStatus);
        crc = Append(Append(crc, record.Output), record.Failure);
        return Crc32C.End(Append(crc, turns));
    }

    public static uint OfTurn(string instanceId, int turn, string events) =>
        Crc32C.End(Append(Append(Append(Crc32C.Start, instanceId), turn), events));

    /// <param name="instanceId">Whose turn it is.</param>
    /// <param name="turn">Its number.</param>
    /// <param name="events">Its events, in UTF-8.</param>
    public static uint OfTurn(string instanceId, int turn, ReadOnlySpan<byte> events) =>
        Crc32C.End(Append(Append(Append(Crc32C.Start, instanceId), turn), events));

    public static uint OfRun(string instanceId, int taskId, long startedAt) =>
        Crc32C.End(Append(Append(Append(Crc32C.Start, instanceId), taskId), startedAt));

    private static uint Append(uint crc, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return Crc32C.Append(crc, bytes);
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes) => Crc32C.Append(Append(crc, bytes.Length), bytes);

    /// <summary>As SQLite stores it; none is not an empty one.</summary>
    private static uint Append(uint crc, string? text)
    {
        if (text is null)
            return Append(crc, -1);
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = most > MostOnStack ? ArrayPool<byte>.Shared.Rent(most) : null;
        var bytes = rented ?? stackalloc byte[MostOnStack];
        crc = Append(crc, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return crc;
    }
}
