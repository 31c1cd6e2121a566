using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Data;

/// <summary>What of a transaction a reader can ask for, and by what a sync knows it again.</summary>
/// <param name="Day">
/// The bank's day (<see cref="BankDays"/>) as yyyyMMdd, 0 when it has none: that of <c>postDate</c>, which is null while pending, else
/// of <c>transactionDate</c>.
/// </param>
/// <param name="Status">Null when it is neither of the two known.</param>
/// <param name="HasPostDay">Whether the day is that of <c>postDate</c>.</param>
/// <param name="Id">A hash of its id; 0 when it has none.</param>
internal readonly record struct TransactionFacts(int Day, TransactionStatus? Status, bool HasPostDay, ulong Id)
{
    /// <summary>Whether it is posted on a day that is known: what Basiq can be asked for by days.</summary>
    public bool IsPosted => Status == TransactionStatus.Posted && HasPostDay;

    /// <summary>Whether it is neither posted on a day that is known nor pending: no list that is asked for in part has it for certain.</summary>
    public bool IsOdd => !IsPosted && Status != TransactionStatus.Pending;

    /// <summary>Reads them, and checks that the bytes are exactly one JSON object.</summary>
    /// <exception cref="JsonException">They are not.</exception>
    public static TransactionFacts Read(ReadOnlySpan<byte> transaction, BankDays days)
    {
        var reader = new Utf8JsonReader(transaction);
        int postDay = 0, transactionDay = 0;
        ulong id = 0;
        TransactionStatus? status = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("A transaction must be a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("postDate"u8))
            {
                reader.Read();
                postDay = ReadDay(ref reader, days);
            }
            else if (reader.ValueTextEquals("transactionDate"u8))
            {
                reader.Read();
                transactionDay = ReadDay(ref reader, days);
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
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                    id = XxHash3.HashToUInt64(reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan);
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }
        // Reading on past the object throws when anything but white space follows.
        reader.Read();
        return new TransactionFacts(postDay != 0 ? postDay : transactionDay, status, postDay != 0, id);
    }

    private static int ReadDay(ref Utf8JsonReader reader, BankDays days)
    {
        if (reader.TokenType == JsonTokenType.String)
            return days.Of(reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan);
        reader.Skip();
        return 0;
    }
}
