using System.Buffers;
using System.Net;

namespace BasiqFunctions.Basiq;

/// <summary>
/// A whole body in pooled memory. Disposing it, or what it was detached into, returns the memory. A byte
/// order mark is no part of it: no reader of JSON takes one.
/// </summary>
internal sealed class PooledContent(byte[] buffer, int length) : HttpContent
{
    private readonly int _start = buffer.AsSpan(0, length).StartsWith("\uFEFF"u8) ? 3 : 0;
    private byte[]? _buffer = buffer;

    /// <summary>The bytes; valid until disposal.</summary>
    public ReadOnlyMemory<byte> Bytes =>
        (_buffer ?? throw new ObjectDisposedException(nameof(PooledContent))).AsMemory(_start, length - _start);

    /// <summary>Hands the memory over to the caller, who returns it to the shared pool.</summary>
    public byte[] Detach() =>
        Interlocked.Exchange(ref _buffer, null) ?? throw new ObjectDisposedException(nameof(PooledContent));

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        stream.WriteAsync(Bytes).AsTask();

    protected override bool TryComputeLength(out long computed)
    {
        computed = length - _start;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _buffer, null) is { } returned)
            ArrayPool<byte>.Shared.Return(returned);
        base.Dispose(disposing);
    }
}
