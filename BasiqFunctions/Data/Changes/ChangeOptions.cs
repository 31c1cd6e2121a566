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
