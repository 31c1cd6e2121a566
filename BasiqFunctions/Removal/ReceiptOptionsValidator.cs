using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

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
