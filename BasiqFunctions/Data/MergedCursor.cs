using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Data;

/// <summary>
/// What the text of a cursor over several accounts holds: version, what it was made for, which fetches of the transactions, the last
/// transaction of the page, and a checksum over all that; it is as little of a signature as <see cref="TransactionCursor"/>.
/// </summary>
internal static class MergedCursor
{
    private const byte Version = 2;
    private const int HashLength = 8;
    private const int DayAt = 1 + (2 * HashLength);
    private const int IdAt = DayAt + sizeof(int);
    private const int ShortestLength = IdAt + HashLength;
    private const int LongestText = 4096;

    public static Cursor Write(string scope, string identity, in MergedPosition position)
    {
        var ids = Encoding.UTF8.GetBytes($"{position.AccountId}\n{position.Id}");
        var bytes = new byte[ShortestLength + ids.Length];
        bytes[0] = Version;
        Hash(Encoding.UTF8.GetBytes(scope), bytes.AsSpan(1, HashLength));
        Hash(Encoding.UTF8.GetBytes(identity), bytes.AsSpan(1 + HashLength, HashLength));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(DayAt), position.Day);
        ids.CopyTo(bytes, IdAt);
        Hash(bytes.AsSpan(0, bytes.Length - HashLength), bytes.AsSpan(bytes.Length - HashLength));
        return new(Base64Url.EncodeToString(bytes));
    }

    public static TransactionCursor.Reading Read(Cursor cursor, string scope, string identity, out MergedPosition position)
    {
        position = default;
        var text = cursor.Value;
        if (text.Length > LongestText || !Base64Url.IsValid(text, out var length) || length < ShortestLength)
            return TransactionCursor.Reading.Invalid;
        var bytes = Base64Url.DecodeFromChars(text);
        Span<byte> hash = stackalloc byte[HashLength];
        Hash(bytes.AsSpan(0, bytes.Length - HashLength), hash);
        if (bytes[0] != Version || !hash.SequenceEqual(bytes.AsSpan(bytes.Length - HashLength)) || Base64Url.EncodeToString(bytes) != text)
            return TransactionCursor.Reading.Invalid;
        Hash(Encoding.UTF8.GetBytes(scope), hash);
        if (!hash.SequenceEqual(bytes.AsSpan(1, HashLength)))
            return TransactionCursor.Reading.Invalid;
        Hash(Encoding.UTF8.GetBytes(identity), hash);
        if (!hash.SequenceEqual(bytes.AsSpan(1 + HashLength, HashLength)))
            return TransactionCursor.Reading.Expired;
        var ids = Encoding.UTF8.GetString(bytes.AsSpan(IdAt..^HashLength));
        if (ids.IndexOf('\n', StringComparison.Ordinal) is not (>= 0 and var end))
            return TransactionCursor.Reading.Invalid;
        position = new MergedPosition(BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(DayAt)), ids[(end + 1)..], new(ids[..end]));
        return TransactionCursor.Reading.Valid;
    }

    private static void Hash(ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        hash[..HashLength].CopyTo(destination);
    }
}

/// <summary>A transaction's place among those of several accounts: the latest day first, then by id, then by account.</summary>
/// <param name="Day">The day, yyyyMMdd; 0, which comes last, when it has none.</param>
/// <param name="Id">The transaction's id; empty when it has none.</param>
/// <param name="AccountId">The account.</param>
internal readonly record struct MergedPosition(int Day, string Id, AccountId AccountId) : IComparable<MergedPosition>
{
    /// <summary>Reads a transaction's id.</summary>
    public static string IdOf(ReadOnlySpan<byte> transaction)
    {
        var reader = new Utf8JsonReader(transaction);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("id"u8);
            reader.Read();
            if (isId && reader.TokenType == JsonTokenType.String)
                return reader.GetString()!;
            reader.Skip();
        }

        return "";
    }

    public int CompareTo(MergedPosition other) =>
        Day != other.Day ? other.Day.CompareTo(Day)
        : string.CompareOrdinal(Id, other.Id) is not 0 and var byId ? byId
        : string.CompareOrdinal(AccountId, other.AccountId);
}
