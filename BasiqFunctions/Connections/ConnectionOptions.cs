using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections;

/// <summary>How banks are listed and visited. Section <c>Connections</c>.</summary>
public sealed class ConnectionOptions
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
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ConnectionOptionsValidator : IValidateOptions<ConnectionOptions>;
