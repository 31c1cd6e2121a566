using System.Text.Json;
using System.Text.Json.Nodes;

namespace BasiqFunctions.Basiq.Models;

/// <summary>The body of <c>POST /reports</c> (Basiq, API reference: Create a report).</summary>
/// <param name="ReportType">Such as <c>CON_AFFOR_01</c>.</param>
/// <param name="Title">At most 50 characters.</param>
/// <param name="Filters">What it is about.</param>
public sealed record ReportDetails(string ReportType, string Title, IReadOnlyList<ReportFilter> Filters)
{
    /// <summary>The type alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(ReportDetails)} {ReportType}";
}

/// <summary>A filter of a report.</summary>
/// <param name="Name">Such as <c>fromDate</c>, <c>users</c>.</param>
/// <param name="Value">A text, or a list of texts.</param>
public sealed record ReportFilter(string Name, JsonNode Value);

/// <summary>A report as Basiq lists it.</summary>
/// <param name="Id">Basiq's id.</param>
/// <param name="Title">Its title.</param>
public sealed record ReportHeader(BasiqReportId Id, string Title)
{
    /// <summary>The id alone: titles may name people.</summary>
    public override string ToString() => $"{nameof(ReportHeader)} {Id}";

    /// <summary>Reads one; null for what has no id.</summary>
    internal static ReportHeader? Read(JsonElement json) =>
        json.Text("id") is { Length: > 0 } id ? new ReportHeader(new(id), json.Text("title") ?? "") : null;
}
