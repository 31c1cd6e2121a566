using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Reports;

/// <summary>A report in short: what Basiq's has by id, as far as it has it.</summary>
/// <param name="ReportId">The report's id, by this app.</param>
/// <param name="ReportType">Basiq's type.</param>
/// <param name="Metrics">The metrics by id.</param>
/// <param name="Groups">The groups of transactions, without these.</param>
/// <param name="RiskFlags">The metrics among Basiq's risk flags that are true.</param>
internal sealed record ReportSummary(
    [property: JsonPropertyName("reportId")] ReportId ReportId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("reportType")] string? ReportType,
    [property: JsonPropertyName("metrics")] IReadOnlyDictionary<string, ReportMetric> Metrics,
    [property: JsonPropertyName("groups")] IReadOnlyList<ReportGroup> Groups,
    [property: JsonPropertyName("riskFlags")] IReadOnlyList<ReportFlag> RiskFlags)
{
    private const string RiskSection = "Risk Flags";

    /// <summary>Reads a report as far as it can be read.</summary>
    public static ReportSummary Of(ReportId reportId, ReadOnlySpan<byte> report)
    {
        var json = JsonElement.Parse(report);
        var metrics = ListIn(json, "metrics").Where(metric => metric.Text("id") is not null).DistinctBy(metric => metric.Text("id")).ToArray();
        return new ReportSummary(
            reportId,
            json.Text("reportType"),
            metrics.ToDictionary(
                metric => metric.Text("id")!, metric => new ReportMetric(ValueOf(metric), metric.Text("result", "format"), metric.Text("title"))),
            [
                .. ListIn(json, "groups").Where(group => group.Text("id") is not null).Select(group => new ReportGroup(
                    group.Text("id")!,
                    group.Text("title"),
                    SectionsOf(group),
                    group.Text("analysis", "amount", "total"),
                    group.Text("analysis", "amount", "average", "month"),
                    group.TryGetProperty("analysis", out var analysis) && analysis.Text("summary", "transactionCount") is { } count && int.TryParse(count, out var number) ? number : null)),
            ],
            [
                .. metrics.Where(metric => SectionsOf(metric).Contains(RiskSection) && ValueOf(metric) is "true")
                    .Select(metric => new ReportFlag(metric.Text("id")!, metric.Text("title"))),
            ]);
    }

    private static IEnumerable<JsonElement> ListIn(JsonElement report, string name) =>
        report.ValueKind is JsonValueKind.Object && report.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Object
        && data.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array
            ? list.EnumerateArray()
            : [];

    private static IReadOnlyList<string> SectionsOf(JsonElement element) =>
        element.TryGetProperty("sections", out var sections) && sections.ValueKind is JsonValueKind.Array
            ? [.. sections.EnumerateArray().Where(section => section.ValueKind is JsonValueKind.String).Select(section => section.GetString()!)]
            : [];

    /// <summary>The value as text; Basiq writes truth as text, too.</summary>
    private static string? ValueOf(JsonElement metric) =>
        metric.Text("result", "value") ?? (metric.TryGetProperty("result", out var result) && result.ValueKind is JsonValueKind.Object && result.TryGetProperty("value", out var value)
            ? value.ValueKind switch { JsonValueKind.True => "true", JsonValueKind.False => "false", _ => null }
            : null);
}

/// <summary>A metric.</summary>
/// <param name="Value">Its value as text, as Basiq writes it.</param>
/// <param name="Unit">What it is counted in: <c>money</c>, <c>integer</c>, <c>percent</c>, <c>boolean</c>.</param>
/// <param name="Title">What it is called.</param>
internal sealed record ReportMetric(
    [property: JsonPropertyName("value")] string? Value,
    [property: JsonPropertyName("unit")] string? Unit,
    [property: JsonPropertyName("title")] string? Title);

/// <summary>A group of transactions.</summary>
/// <param name="Id">Basiq's id, such as <c>EXP-016</c>.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Sections">Under which headings it stands, such as <c>Income</c>.</param>
/// <param name="Total">The sum.</param>
/// <param name="Month">The sum by month.</param>
/// <param name="Transactions">How many transactions.</param>
internal sealed record ReportGroup(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("title")] string? Title,
    [property: JsonPropertyName("sections")] IReadOnlyList<string> Sections,
    [property: JsonPropertyName("total")] string? Total,
    [property: JsonPropertyName("month")] string? Month,
    [property: JsonPropertyName("transactions")] int? Transactions);

/// <summary>Something that Basiq flags as a risk.</summary>
/// <param name="Id">The metric's id.</param>
/// <param name="Title">What it is called.</param>
internal sealed record ReportFlag(
    [property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("title")] string? Title);
