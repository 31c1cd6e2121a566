using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Records;

/// <summary>When what is due is done. Section <c>Due</c>.</summary>
public sealed class DueOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Due";

    /// <summary>The table of what is due, created on first use.</summary>
    public string Table { get; set; } = "BasiqDue";

    /// <summary>How often Basiq is asked how a user's consents stand, at least; on the day of a consent's end it is asked as well.</summary>
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Over how long a daily pass spreads its calls to Basiq.</summary>
    public TimeSpan SpreadOver { get; set; } = TimeSpan.FromHours(4);
}

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
