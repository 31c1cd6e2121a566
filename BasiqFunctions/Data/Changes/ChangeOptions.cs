using BasiqFunctions.Platform;
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
    [Duration("1d", "365d")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long a reader of the whole feed may pause between two pages before it must begin again.</summary>
    [Duration("10m", "7d")]
    public TimeSpan ReadFor { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ChangeOptionsValidator : IValidateOptions<ChangeOptions>;
