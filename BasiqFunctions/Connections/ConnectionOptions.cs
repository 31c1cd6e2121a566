using System.ComponentModel.DataAnnotations;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections;

/// <summary>How banks are listed and visited. Section <c>Connections</c>.</summary>
public sealed class ConnectionOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Connections";

    /// <summary>The table of what is kept of banks and connections, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqConnections";

    /// <summary>How long the list of banks is used before Basiq is asked for it again.</summary>
    [Duration("1m", "1d")]
    public TimeSpan InstitutionsFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long the list is used while Basiq is away; it is marked as stale then.</summary>
    [Duration("1h", "30d")]
    public TimeSpan StaleInstitutionsFor { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long after Basiq has visited a bank a refresh does not visit it again, unless it is forced.</summary>
    [Duration("0s", "1d")]
    public TimeSpan FreshFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How old a connection's data may be before it is told that they are stale.</summary>
    [Duration("1m", "366d")]
    public TimeSpan StaleAfter { get; set; } = TimeSpan.FromHours(36);

    /// <summary>How often a bank is visited for a connection of open banking on a day of <c>Snapshots:TimeZone</c>; Basiq takes 20 refreshes.</summary>
    [Number(1, 1_000)]
    public int VisitsPerDay { get; set; } = 20;

    /// <summary>How many of them are kept for people who are present.</summary>
    [Number(0, 1_000)]
    public int VisitsForPeople { get; set; } = 8;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (VisitsForPeople > VisitsPerDay)
            yield return new("Connections:VisitsForPeople must be at most Connections:VisitsPerDay.");
    }
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ConnectionOptionsValidator : IValidateOptions<ConnectionOptions>;
