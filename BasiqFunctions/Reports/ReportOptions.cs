using System.ComponentModel.DataAnnotations;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>How reports are made and kept. Section <c>Reports</c>.</summary>
public sealed class ReportOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Reports";

    /// <summary>The table, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqReports";

    /// <summary>How long a report is kept after it was asked for.</summary>
    [Duration("1d", "3650d")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many reports all instances ask for in a day of UTC; Basiq makes 1,000.</summary>
    [Number(1, 1_000_000)]
    public int MaxPerDay { get; set; } = 1_000;

    /// <summary>The wait between the first poll of a report's job and the second; it grows by half from one to the next.</summary>
    [Duration("1ms")]
    public TimeSpan FirstPollDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest wait between two polls.</summary>
    public TimeSpan MaxPollDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long Basiq may take to make a report. A report that is not listed so long after its creation was sent, without an answer, was
    /// never made, and is asked for again.
    /// </summary>
    [Duration("1s", "12h", Why = "Basiq keeps reports for 24 hours")]
    public TimeSpan JobTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxPollDelay < FirstPollDelay)
            yield return new("Reports:MaxPollDelay must be at least Reports:FirstPollDelay.");
    }
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ReportOptionsValidator : IValidateOptions<ReportOptions>;
