using System.Text.Json;

namespace BasiqFunctions.Data;

/// <summary>A transaction's place among those of several accounts: the latest day first, then by id, then by account.</summary>
/// <param name="Day">The day, yyyyMMdd; 0, which comes last, when it has none.</param>
/// <param name="Id">The transaction's id; empty when it has none.</param>
/// <param name="AccountId">The account.</param>
internal readonly record struct MergedPosition(int Day, string Id, string AccountId) : IComparable<MergedPosition>
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
