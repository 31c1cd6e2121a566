using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Snapshots;

/// <summary>The two facts of a transaction that a reader can ask for.</summary>
/// <param name="Day">
/// The calendar day as yyyyMMdd, 0 when it has none: that of <c>postDate</c>, which is null while pending, else of
/// <c>transactionDate</c>. The day is the one that is written (what stands on the bank statement: Basiq's OpenAPI,
/// TransactionData), never moved to another time zone.
/// </param>
/// <param name="Status">Null when it is neither of the two known.</param>
internal readonly record struct TransactionFacts(int Day, TransactionStatus? Status)
{
    /// <summary>Reads them, and checks that the bytes are exactly one JSON object.</summary>
    /// <exception cref="JsonException">They are not.</exception>
    public static TransactionFacts Read(ReadOnlySpan<byte> transaction)
    {
        var reader = new Utf8JsonReader(transaction);
        int postDay = 0, transactionDay = 0;
        TransactionStatus? status = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("A transaction must be a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("postDate"u8))
            {
                reader.Read();
                postDay = ReadDay(ref reader);
            }
            else if (reader.ValueTextEquals("transactionDate"u8))
            {
                reader.Read();
                transactionDay = ReadDay(ref reader);
            }
            else if (reader.ValueTextEquals("status"u8))
            {
                reader.Read();
                status = reader.TokenType != JsonTokenType.String ? null
                    : reader.ValueTextEquals("posted"u8) ? TransactionStatus.Posted
                    : reader.ValueTextEquals("pending"u8) ? TransactionStatus.Pending
                    : null;
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }
        // Reading on past the object throws when anything but white space follows.
        reader.Read();
        return new TransactionFacts(postDay != 0 ? postDay : transactionDay, status);
    }

    private static int ReadDay(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
            return ParseDay(reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan);
        reader.Skip();
        return 0;
    }

    private static int ParseDay(ReadOnlySpan<byte> text)
    {
        if (text.Length < 10 || text[4] != '-' || text[7] != '-' || (text.Length > 10 && text[10] is not ((byte)'T' or (byte)' ')))
            return 0;
        int year = Digits(text[..4]), month = Digits(text[5..7]), day = Digits(text[8..10]);
        return year >= 1 && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month)
            ? (year * 10000) + (month * 100) + day
            : 0;
    }

    private static int Digits(ReadOnlySpan<byte> text)
    {
        var value = 0;
        foreach (var c in text)
        {
            if (c is < (byte)'0' or > (byte)'9')
                return -1;
            value = (value * 10) + (c - '0');
        }
        return value;
    }
}
