using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>Where deletion receipts are kept, and for how long. Section <c>Receipts</c>.</summary>
public sealed class ReceiptOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Receipts";

    /// <summary>The table, created on first use.</summary>
    public string Table { get; set; } = "BasiqReceipts";

    /// <summary>
    /// How long a receipt is kept: six years, leap days included. Who deletes data under the Consumer Data Right makes a record to
    /// evidence it (Competition and Consumer (Consumer Data Right) Rules 2020, rule 1.18), and the records of rule 9.3 are kept for
    /// six years. Whether that holds for a receipt is for the operator to settle; it says nothing of a person, so that it may stay as long.
    /// </summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays((6 * 365) + 2);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class ReceiptOptionsValidator : IValidateOptions<ReceiptOptions>
{
    public ValidateOptionsResult Validate(string? name, ReceiptOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"{ReceiptOptions.Section}:{nameof(options.Table)} {RecordTableName.Rule}.");
        if (options.KeepFor < TimeSpan.FromDays(1) || options.KeepFor > TimeSpan.FromDays(36_500))
            failures.Add($"{ReceiptOptions.Section}:{nameof(options.KeepFor)} must be between 1 day and 36,500 days.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
