using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Reports;

/// <summary>What is known of a report.</summary>
/// <param name="ReportId">The report's id.</param>
/// <param name="Type">As it was asked for.</param>
/// <param name="Status">How far it is.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="ExpiresAt">When it is removed.</param>
/// <param name="Url">Where it is read.</param>
/// <param name="Users">Whose report it is, where it is of several people.</param>
/// <param name="Error">Why it could not be had.</param>
internal sealed record ReportAnswer(
    [property: JsonPropertyName("reportId")] ReportId ReportId,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("status")] ReportState Status,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("expiresAt")] DateTimeOffset ExpiresAt,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("users")] IReadOnlyList<UserId>? Users = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] string? Error = null)
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>The answer of what is known.</summary>
    public static ReportAnswer Of(KeptReport report, DateTimeOffset expiresAt) => new(
        report.ReportId,
        report.Type,
        report.State,
        report.CreatedAt,
        expiresAt,
        $"/api/users/{Uri.EscapeDataString(report.OwnerId)}/reports/{report.ReportId}",
        report.UserIds.Count > 1 ? report.UserIds : null,
        report.Error);

    /// <summary>202, and when to ask again.</summary>
    public IResult Accepted() => new JsonAnswer<ReportAnswer>(StatusCodes.Status202Accepted, this) { Location = Url, RetryAfter = AskAgainAfter };
}

/// <summary>ListReports' answer.</summary>
/// <param name="Reports">The reports, the newest first.</param>
internal sealed record ReportList([property: JsonPropertyName("reports")] IReadOnlyList<ReportAnswer> Reports);

/// <summary>ListReportTypes' answer.</summary>
/// <param name="Types">The types as Basiq sent them.</param>
internal sealed record ReportTypeList([property: JsonPropertyName("types")] IReadOnlyList<System.Text.Json.JsonElement> Types);
