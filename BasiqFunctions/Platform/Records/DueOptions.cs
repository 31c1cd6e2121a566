using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Records;

/// <summary>When what is due is done. Section <c>Due</c>.</summary>
public sealed class DueOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Due";

    /// <summary>The table of what is due, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqDue";

    /// <summary>How often Basiq is asked how a user's consents stand, at least; on the day of a consent's end it is asked as well.</summary>
    [Duration("1d", "366d")]
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Over how long a daily pass spreads its calls to Basiq.</summary>
    [Duration("0s", "20h")]
    public TimeSpan SpreadOver { get; set; } = TimeSpan.FromHours(4);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class DueOptionsValidator : IValidateOptions<DueOptions>;
