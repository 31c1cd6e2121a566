using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Records;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class DueOptionsValidator : IValidateOptions<DueOptions>
{
    public ValidateOptionsResult Validate(string? name, DueOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"{DueOptions.Section}:{nameof(options.Table)} {RecordTableName.Rule}.");
        if (options.CheckEvery < TimeSpan.FromDays(1) || options.CheckEvery > TimeSpan.FromDays(366))
            failures.Add($"{DueOptions.Section}:{nameof(options.CheckEvery)} must be between 1 day and 366 days.");
        if (options.SpreadOver < TimeSpan.Zero || options.SpreadOver > TimeSpan.FromHours(20))
            failures.Add($"{DueOptions.Section}:{nameof(options.SpreadOver)} must be between 0 and 20 hours.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
