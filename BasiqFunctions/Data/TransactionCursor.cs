using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace BasiqFunctions.Data;

/// <summary>A place in an account's transactions.</summary>
internal readonly record struct TransactionPosition(int Segment, int Page, int Index);

/// <summary>
/// What a cursor's text holds: version, what it was made for (user, account, filter), which fetch of the transactions, the
/// position, and a checksum over all that. The checksum catches damage and guesses; it is no signature, and needs to be none: a
/// position leads nowhere but to other transactions of the account that the caller names in the route anyway, and is checked
/// against the segment's index.
/// </summary>
internal static class TransactionCursor
{
    private const byte Version = 1;
    private const int HashLength = 8;
    private const int ScopeAt = 1;
    private const int SnapshotAt = ScopeAt + HashLength;
    private const int PositionAt = SnapshotAt + HashLength;
    private const int ChecksumAt = PositionAt + (3 * sizeof(int));
    private const int Length = ChecksumAt + HashLength;

    public enum Reading
    {
        Valid,
        Invalid,
        Expired,
    }

    public static Cursor Write(UserId userId, AccountId accountId, in TransactionFilter filter, ManifestTransactions transactions, in TransactionPosition position)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes[0] = Version;
        Hash(ScopeOf(userId, accountId, filter), bytes.Slice(ScopeAt, HashLength));
        Hash(SnapshotOf(transactions), bytes.Slice(SnapshotAt, HashLength));
        BinaryPrimitives.WriteInt32BigEndian(bytes[PositionAt..], position.Segment);
        BinaryPrimitives.WriteInt32BigEndian(bytes[(PositionAt + 4)..], position.Page);
        BinaryPrimitives.WriteInt32BigEndian(bytes[(PositionAt + 8)..], position.Index);
        Hash(bytes[..ChecksumAt], bytes[ChecksumAt..]);
        return new(Base64Url.EncodeToString(bytes));
    }

    public static Reading Read(
        Cursor cursor, UserId userId, AccountId accountId, in TransactionFilter filter, ManifestTransactions transactions, out TransactionPosition position)
    {
        position = default;
        Span<byte> bytes = stackalloc byte[Length];
        Span<byte> hash = stackalloc byte[HashLength];
        var text = cursor.Value;
        if (text.Length != Base64Url.GetEncodedLength(Length)
            || !Base64Url.IsValid(text, out var decodedLength)
            || decodedLength != Length
            || Base64Url.DecodeFromChars(text, bytes) != Length
            || Base64Url.EncodeToString(bytes) != text
            || bytes[0] != Version)
        {
            return Reading.Invalid;
        }
        Hash(bytes[..ChecksumAt], hash);
        if (!hash.SequenceEqual(bytes[ChecksumAt..]))
            return Reading.Invalid;
        Hash(ScopeOf(userId, accountId, filter), hash);
        if (!hash.SequenceEqual(bytes.Slice(ScopeAt, HashLength)))
            return Reading.Invalid;
        Hash(SnapshotOf(transactions), hash);
        if (!hash.SequenceEqual(bytes.Slice(SnapshotAt, HashLength)))
            return Reading.Expired;
        position = new TransactionPosition(
            BinaryPrimitives.ReadInt32BigEndian(bytes[PositionAt..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[(PositionAt + 4)..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[(PositionAt + 8)..]));
        return position.Segment >= 0 && position.Segment < transactions.Segments.Count
            && position.Page >= 0 && position.Page < transactions.Segments[position.Segment].Pages
            && position.Index >= 0
                ? Reading.Valid
                : Reading.Invalid;
    }

    private static byte[] ScopeOf(UserId userId, AccountId accountId, in TransactionFilter filter) =>
        Encoding.ASCII.GetBytes($"{userId}/{accountId}/{filter.FromDay}/{filter.ToDay}/{filter.Status}");

    private static byte[] SnapshotOf(ManifestTransactions transactions) =>
        Encoding.ASCII.GetBytes(transactions.Identity);

    private static void Hash(ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        hash[..HashLength].CopyTo(destination);
    }
}
