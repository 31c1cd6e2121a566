using System.ComponentModel.DataAnnotations;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>The configuration section <c>Snapshots</c>.</summary>
public sealed class SnapshotOptions : IValidatableObject
{
    /// <summary>The section's name.</summary>
    public const string Section = "Snapshots";

    /// <summary>Where most Australian banks close their day.</summary>
    internal const string DefaultTimeZone = "Australia/Sydney";

    /// <summary>The blob container, created on first use.</summary>
    [StorageName]
    public string Container { get; set; } = "basiq-snapshots";

    /// <summary>
    /// How long a sync that has not published may go without writing anything before what it left counts as abandoned. Longer
    /// than any sync can take, be it one that waits for an API key for as long as <c>Sync:TokenPatience</c> allows.
    /// </summary>
    [Duration("1h", "30d")]
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
    [Duration("1d", "3650d")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(365);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // The database takes milliseconds to load, which a start need not spend on a name that is known.
        if (TimeZone != DefaultTimeZone && !BankDays.IsTimeZone(TimeZone))
            yield return new("Snapshots:TimeZone must be the name of a time zone in the IANA database, such as Australia/Perth.");
    }
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class SnapshotOptionsValidator : IValidateOptions<SnapshotOptions>;
