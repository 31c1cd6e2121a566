using System.ComponentModel;
using System.Globalization;
using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>One way to a bank (Basiq, API reference: Connectors): what the app uses of it.</summary>
/// <param name="InstitutionId">The bank, such as <c>AU00000</c>.</param>
/// <param name="Method">How it is reached, such as <c>open-banking</c>.</param>
[ImmutableObject(true)]
public sealed record Connector(string InstitutionId, string Method)
{
    /// <summary>The method of the Consumer Data Right, as connections and filters spell it.</summary>
    public const string OpenBanking = "open-banking";

    /// <summary>The status of a bank that cannot be reached at all.</summary>
    public const string MajorOutage = "major-outage";

    /// <summary>The bank's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The same, shorter.</summary>
    public string ShortName { get; init; } = "";

    /// <summary>From <c>1</c>, the largest banks, to <c>4</c>.</summary>
    public string? Tier { get; init; }

    /// <summary>The bank's country, such as <c>Australia</c>.</summary>
    public string? Country { get; init; }

    /// <summary><c>operational</c>, <c>under-maintenance</c>, <c>degraded-performance</c>, <c>partial-outage</c> or <c>major-outage</c>, or one to come.</summary>
    public string? Status { get; init; }

    /// <summary><c>live</c>, <c>beta</c> or <c>alpha</c>.</summary>
    public string? Stage { get; init; }

    /// <summary>A picture of the bank, square where there is one.</summary>
    public string? LogoUrl { get; init; }

    /// <summary>How long a job takes on average, in milliseconds; null where Basiq does not know.</summary>
    public long? AverageDurationMs { get; init; }

    /// <summary>Whether the bank cannot be reached this way, so that a visit is in vain.</summary>
    public bool IsOut => Status is MajorOutage;

    /// <summary>A method as connections and filters spell it; connectors themselves leave its hyphen out.</summary>
    public static string Spelled(string method) => method is "openbanking" ? OpenBanking : method;

    /// <summary>Reads one; null for what is none.</summary>
    internal static Connector? Read(JsonElement json)
    {
        if (json.Text("id") is not { Length: > 0 } id || json.Text("method") is not { Length: > 0 } method)
            return null;
        var name = json.Text("institution", "name") is { Length: > 0 } said ? said : id;
        return new Connector(id, Spelled(method))
        {
            Name = name,
            ShortName = json.Text("institution", "shortName") is { Length: > 0 } shortName ? shortName : name,
            Tier = json.Text("institution", "tier"),
            Country = json.Text("institution", "country"),
            Status = json.Text("status"),
            Stage = json.Text("stage"),
            LogoUrl = LinkOf(json.Text("institution", "logo", "links", "square")) ?? LinkOf(json.Text("institution", "logo", "links", "full")),
            AverageDurationMs = long.TryParse(
                json.Text("stats", "averageDurationMs", "total"), NumberStyles.None, CultureInfo.InvariantCulture, out var duration)
                ? duration
                : null,
        };
    }

    /// <summary>A link that a browser may be given; null for what is none.</summary>
    private static string? LinkOf(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var link) && link.Scheme is "https" or "http" ? text : null;
}
