using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Changes;

/// <summary>Settings of the change feed, section <see cref="Section"/>.</summary>
public sealed class ChangeOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Changes";

    /// <summary>
    /// How long a change is kept, and with it the cursors before it are good. What is kept shorter than that
    /// (<see cref="SnapshotOptions.MaxAge"/>) takes its changes along.
    /// </summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long whoever reads the whole may pause between two pages before it has to begin again.</summary>
    public TimeSpan ReadFor { get; set; } = TimeSpan.FromDays(1);
}

internal sealed class ChangeOptionsValidator : IValidateOptions<ChangeOptions>
{
    public ValidateOptionsResult Validate(string? name, ChangeOptions options)
    {
        var failures = new List<string>();
        if (options.KeepFor < TimeSpan.FromDays(1) || options.KeepFor > TimeSpan.FromDays(365))
            failures.Add("Changes:KeepFor must be between 1 day and 365 days.");
        if (options.ReadFor < TimeSpan.FromMinutes(10) || options.ReadFor > TimeSpan.FromDays(7))
            failures.Add("Changes:ReadFor must be between 10 minutes and 7 days.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
