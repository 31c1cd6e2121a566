namespace BasiqFunctions.Snapshots;

/// <summary>The configuration section <c>Snapshots</c>.</summary>
public sealed class SnapshotOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "Snapshots";

    /// <summary>The blob container, created on first use.</summary>
    public string Container { get; set; } = "basiq-snapshots";

    /// <summary>
    /// How long a sync that has not published may go without writing anything before what it left counts as abandoned. Longer
    /// than any sync can take.
    /// </summary>
    public TimeSpan LeftoverGrace { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How long what was fetched of a connection is kept after its last sync, whatever the consent allows. A consent lasts a year at
    /// most (Competition and Consumer (Consumer Data Right) Rules 2020, rule 4.12).
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(365);
}
