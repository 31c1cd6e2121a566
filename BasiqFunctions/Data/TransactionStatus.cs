namespace BasiqFunctions.Data;

/// <summary>A transaction's <c>status</c> (Basiq's OpenAPI, TransactionData).</summary>
public enum TransactionStatus
{
    /// <summary>Final: it has a <c>postDate</c> and keeps its id.</summary>
    Posted,

    /// <summary>Not final: its id changes at every refresh.</summary>
    Pending,
}
