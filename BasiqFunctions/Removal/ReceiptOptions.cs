using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>Where deletion receipts are kept, and for how long. Section <c>Receipts</c>.</summary>
public sealed class ReceiptOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Receipts";

    /// <summary>The table, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqReceipts";

    /// <summary>
    /// How long a receipt is kept: six years, leap days included. Who deletes data under the Consumer Data Right makes a record to
    /// evidence it (Competition and Consumer (Consumer Data Right) Rules 2020, rule 1.18), and the records of rule 9.3 are kept for
    /// six years. Whether that holds for a receipt is for the operator to settle; it says nothing of a person, so that it may stay as long.
    /// </summary>
    [Duration("1d", "36500d")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays((6 * 365) + 2);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ReceiptOptionsValidator : IValidateOptions<ReceiptOptions>;
