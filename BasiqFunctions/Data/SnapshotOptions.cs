using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>The configuration section <c>Snapshots</c>.</summary>
public sealed class SnapshotOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "Snapshots";

    /// <summary>Where most Australian banks close their day.</summary>
    internal const string DefaultTimeZone = "Australia/Sydney";

    /// <summary>The blob container, created on first use.</summary>
    public string Container { get; set; } = "basiq-snapshots";

    /// <summary>
    /// How long a sync that has not published may go without writing anything before what it left counts as abandoned. Longer
    /// than any sync can take, be it one that waits for an API key for as long as <c>Sync:TokenPatience</c> allows.
    /// </summary>
    public TimeSpan LeftoverGrace { get; set; } = TimeSpan.FromDays(8);

    /// <summary>
    /// The banks' time zone, by its name in the IANA database: on which day a transaction was that comes with a time
    /// (<see cref="BankDays"/>).
    /// </summary>
    public string TimeZone { get; set; } = DefaultTimeZone;

    /// <summary>
    /// How long what was fetched of a connection is kept after its last sync, whatever the consent allows. A consent lasts a year at
    /// most (Competition and Consumer (Consumer Data Right) Rules 2020, rule 4.12).
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(365);
}

internal sealed class SnapshotOptionsValidator : IValidateOptions<SnapshotOptions>
{
    public ValidateOptionsResult Validate(string? name, SnapshotOptions options)
    {
        var failures = new List<string>();
        if (!IsContainerName(options.Container))
            failures.Add("Snapshots:Container must have 3 to 63 lower-case letters, digits and single hyphens, not at its ends.");
        if (options.LeftoverGrace < TimeSpan.FromHours(1) || options.LeftoverGrace > TimeSpan.FromDays(30))
            failures.Add("Snapshots:LeftoverGrace must be between 1 hour and 30 days.");
        if (options.MaxAge < TimeSpan.FromDays(1) || options.MaxAge > TimeSpan.FromDays(3_650))
            failures.Add("Snapshots:MaxAge must be between 1 day and 3,650 days.");

        // The database takes milliseconds to load, which a start need not spend on a name that is known.
        if (options.TimeZone != SnapshotOptions.DefaultTimeZone && !BankDays.IsTimeZone(options.TimeZone))
            failures.Add("Snapshots:TimeZone must be the name of a time zone in the IANA database, such as Australia/Perth.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool IsContainerName(string? name) =>
        name is { Length: >= 3 and <= 63 }
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-')
        && name[0] != '-'
        && name[^1] != '-'
        && !name.Contains("--", StringComparison.Ordinal);
}
