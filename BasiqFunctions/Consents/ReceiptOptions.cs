namespace BasiqFunctions.Consents;

/// <summary>Where deletion receipts are kept, and for how long. Section <c>Receipts</c>.</summary>
public sealed class ReceiptOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Receipts";

    /// <summary>The table, created on first use.</summary>
    public string Table { get; set; } = "BasiqReceipts";

    /// <summary>
    /// How long a receipt is kept. Records about consents and about what became of the data must be kept for six years
    /// (Competition and Consumer (Consumer Data Right) Rules 2020, rule 9.3); one more, so that the last of these years can still
    /// be asked about. A receipt says nothing of a person, so longer does no harm.
    /// </summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays((7 * 365) + 2);
}
