using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>Why a sync is not complete.</summary>
/// <param name="Code">One of ours, or Basiq's when the call to it is what failed.</param>
/// <param name="Detail">In words, without personal data.</param>
public sealed record SyncError(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("detail")] string Detail)
{
    /// <summary>Code: records of Basiq's list of accounts could not be read.</summary>
    internal const string AccountsSkipped = "accounts-skipped";

    /// <summary>Code: transactions had no id.</summary>
    internal const string TransactionsSkipped = "transactions-skipped";

    /// <summary>Whether fetching failed, and not only records in what was fetched.</summary>
    [JsonIgnore]
    internal bool IsOfFetching => Code is not (AccountsSkipped or TransactionsSkipped);
}
