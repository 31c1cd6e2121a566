using System.Buffers;
using System.Net;

namespace BasiqFunctions.Basiq;

/// <summary>
/// A body that has been read whole into pooled memory. Whoever disposes it, or what it was detached into, gives the memory back.
/// </summary>
internal sealed class PooledContent(byte[] buffer, int length) : HttpContent
{
    private byte[]? _buffer = buffer;

    /// <summary>The bytes; valid until disposal.</summary>
    public ReadOnlyMemory<byte> Bytes =>
        new(_buffer ?? throw new ObjectDisposedException(nameof(PooledContent)), 0, length);

    /// <summary>Hands the memory over to the caller, who returns it to the shared pool.</summary>
    public (byte[] Buffer, int Length) Detach() =>
        (Interlocked.Exchange(ref _buffer, null) ?? throw new ObjectDisposedException(nameof(PooledContent)), length);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        stream.WriteAsync(Bytes).AsTask();

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _buffer, null) is { } returned)
            ArrayPool<byte>.Shared.Return(returned);
        base.Dispose(disposing);
    }
}
