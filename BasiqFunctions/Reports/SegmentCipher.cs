using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BasiqFunctions.Reports;

/// <summary>
/// Encrypts a content in segments (AES-256-GCM), so that neither writing nor reading it takes more memory than a segment does.
/// </summary>
/// <remarks>
/// The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance): the
/// nonce of a segment is its number and whether it is the last, which binds it to its place. All but the last are full, and the last is
/// not, be it empty: that is by what a reader knows it. Nonces are never used again, since every content has a key of its own.
/// </remarks>
internal sealed class SegmentCipher(ReadOnlySpan<byte> key) : IDisposable
{
    /// <summary>The size of the content of a full segment.</summary>
    public const int ContentBytes = 256 * 1024;

    /// <summary>The size of an encrypted full segment.</summary>
    public const int SealedBytes = ContentBytes + TagBytes;

    /// <summary>By how much a segment is larger than its content.</summary>
    public const int TagBytes = 16;

    private const int NonceBytes = 12;

    private readonly AesGcm _cipher = new(key, TagBytes);
    private ulong _number;

    /// <summary>Encrypts the next segment, and gives its size.</summary>
    public int Seal(ReadOnlySpan<byte> content, Span<byte> segment)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Next(nonce, content.Length < ContentBytes);
        _cipher.Encrypt(nonce, content, segment[..content.Length], segment.Slice(content.Length, TagBytes));
        return content.Length + TagBytes;
    }

    /// <summary>Decrypts the next segment, and gives the size of its content; null when it is not just that segment.</summary>
    public int? TryOpen(ReadOnlySpan<byte> segment, Span<byte> content)
    {
        var length = segment.Length - TagBytes;
        if (length < 0)
            return null;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Next(nonce, length < ContentBytes);
        try
        {
            _cipher.Decrypt(nonce, segment[..length], segment[length..], content[..length]);
            return length;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _cipher.Dispose();

    private void Next(Span<byte> nonce, bool isLast)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[3..11], _number++);
        nonce[11] = isLast ? (byte)1 : (byte)0;
    }
}
