using System.Buffers;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// A change as it is stored and answered: <c>{"type":…,"accountId":…,"transactionId":…,"inferredFrom":…,"transaction":…}</c>, or
/// <c>{"type":…,"accountId":…,"account":…}</c>. A removal has the ids alone.
/// </summary>
internal static class ChangeLine
{
    private static ReadOnlySpan<byte> Start => "{\"type\":\""u8;

    private static ReadOnlySpan<byte> Account => "\",\"accountId\":\""u8;

    private static ReadOnlySpan<byte> Transaction => "\",\"transactionId\":\""u8;

    public static ReadOnlySpan<byte> Added => "added"u8;

    public static ReadOnlySpan<byte> Modified => "modified"u8;

    public static ReadOnlySpan<byte> Removed => "removed"u8;

    /// <summary>Writes a change of an account; its JSON is empty for a removal.</summary>
    public static void WriteAccount(ArrayBufferWriter<byte> line, ReadOnlySpan<byte> type, AccountId accountId, ReadOnlySpan<byte> json)
    {
        WriteStart(line, type, accountId);
        line.Write("\""u8);
        if (!json.IsEmpty)
        {
            line.Write(",\"account\":"u8);
            line.Write(json);
        }

        line.Write("}"u8);
    }

    /// <summary>Writes a change of a transaction.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="type">Its type.</param>
    /// <param name="accountId">The account.</param>
    /// <param name="id">The transaction's id, as it stands in its JSON.</param>
    /// <param name="inferredFrom">Likewise the id of the pending one that it was; empty for none.</param>
    /// <param name="json">The transaction; empty for a removal.</param>
    public static void WriteTransaction(
        ArrayBufferWriter<byte> line, ReadOnlySpan<byte> type, AccountId accountId, ReadOnlySpan<byte> id, ReadOnlySpan<byte> inferredFrom, ReadOnlySpan<byte> json)
    {
        WriteStart(line, type, accountId);
        line.Write(Transaction);
        line.Write(id);
        line.Write("\""u8);
        if (!inferredFrom.IsEmpty)
        {
            line.Write(",\"inferredFrom\":\""u8);
            line.Write(inferredFrom);
            line.Write("\""u8);
        }

        if (!json.IsEmpty)
        {
            line.Write(",\"transaction\":"u8);
            line.Write(json);
        }

        line.Write("}"u8);
    }

    /// <summary>Reads what a change is of.</summary>
    /// <exception cref="JsonException">It is no change.</exception>
    public static ReadOnlySpan<byte> AccountOf(ReadOnlySpan<byte> line, out bool isOfAccount)
    {
        var typeEnd = line.StartsWith(Start) ? line[Start.Length..].IndexOf((byte)'"') : -1;
        if (typeEnd < 0 || !line[(Start.Length + typeEnd)..].StartsWith(Account))
            throw new JsonException("Not a change.");
        var rest = line[(Start.Length + typeEnd + Account.Length)..];
        var end = rest.IndexOf((byte)'"');
        if (end < 0)
            throw new JsonException("Not a change.");
        isOfAccount = !rest[end..].StartsWith(Transaction);
        return rest[..end];
    }

    /// <summary>Reads a transaction's id. One without has no place in a feed.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="id">The id as it stands there.</param>
    /// <param name="key">What tells it from all other ids.</param>
    public static bool TryReadId(ReadOnlySpan<byte> transaction, out ReadOnlySpan<byte> id, out Fingerprint key)
    {
        var reader = new Utf8JsonReader(transaction);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("id"u8);
            reader.Read();
            if (isId && reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0)
            {
                id = reader.ValueSpan;
                key = Fingerprint.Of(reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : id);
                return true;
            }

            reader.Skip();
        }

        id = default;
        key = default;
        return false;
    }

    private static void WriteStart(ArrayBufferWriter<byte> line, ReadOnlySpan<byte> type, AccountId accountId)
    {
        line.Write(Start);
        line.Write(type);
        line.Write(Account);
        Encoding.ASCII.GetBytes(accountId, line);
    }
}
