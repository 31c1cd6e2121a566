using System.Text.Json;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>
/// <c>/reports</c>: a report is asked for and made by a job; then it is listed, and can be read as JSON and PDF for 24 hours.
/// </summary>
internal sealed class ReportEndpoints(SandboxState state, DataViews data, LiveOptions options, TimeProvider clock)
{
    // "Every created report is saved as a snapshot and can be retrieved up to 24 hours after creation": Basiq's OpenAPI, GET /reports.
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private readonly Lock _gate = new();
    private long _drawn;

    public void Map(ApiRoutes routes)
    {
        routes.Server("POST", "/reports", Create);
        routes.Server("GET", "/reports", List);
        routes.Server("GET", "/reports/types", (context, _) => Types(context));
        routes.Server("GET", "/reports/types/{reportTypeId}", (context, _) => Type(context));
        routes.Server("GET", "/reports/{id}", (context, application) => WithReport(context, application, "id", Get));
        routes.Server("GET", "/reports/{reportId}/transactions", (context, application) => WithReport(context, application, "reportId", Transactions));
        routes.Server("DELETE", "/reports/{id}", (context, application) => WithReport(context, application, "id", Delete));
    }

    private async Task Create(HttpContext context, BasiqApplication application)
    {
        JsonElement body;
        try
        {
            body = await JsonSerializer.DeserializeAsync(context.Request.Body, ReportJson.Default.JsonElement, context.RequestAborted);
        }
        catch (JsonException)
        {
            await Answers.BadContent(context, "The body is not JSON.");
            return;
        }

        var now = clock.GetUtcNow();
        var (order, status, error) = ReportOrder.Read(
            body,
            id => state.User(id) is { } user && user.Record.Application == application ? user : null,
            data,
            DateOnly.FromDateTime(now.UtcDateTime));
        if (order is null)
        {
            await Answers.Error(context, status, error!);
            return;
        }

        JobRecord? job;
        ulong number;
        lock (_gate)
        {
            number = (ulong)_drawn++;
            job = Make(order, application, now, context.BaseUrl(), IsDrawn("failed", number, options.Current.ShareOfFailedReports));
        }

        if (job is null)
        {
            context.Response.Headers.RetryAfter = "3600";
            await Answers.Error(context, 429, new ApiError("too-many-requests", "Too many requests.", "At most 1,000 reports a day can be made."));
        }
        else if (IsDrawn("lost", number, options.Current.ShareOfLostReportAnswers))
        {
            context.Abort();
        }
        else
        {
            await Answers.Json(context, 202, (job, context.BaseUrl()), static (writer, x) => Jobs.WriteShort(writer, x.job, x.Item2));
        }
    }

    /// <summary>Makes a report and its job; null when there are as many as there may be.</summary>
    private JobRecord? Make(ReportOrder order, BasiqApplication application, DateTimeOffset now, string baseUrl, bool fails)
    {
        if (options.Current.Strict && state.Reports.Count(report => report.Application == application && now - report.Created < Kept) >= options.Current.ReportLimit)
            return null;
        var user = order.Accounts is [var first, ..] ? first.User : null;
        var reportId = Guid.NewGuid().ToString();
        var job = new JobRecord(
            Guid.NewGuid().ToString(), user?.Id ?? "", "", "", "", now, options.Current.JobDuration, options.Current.JobsNeverEnd, ConsentRevoked: false)
        {
            ReportId = reportId,
            Fails = fails || user is null,
        };
        var content = new ReportContent(order, reportId, now, baseUrl);
        state.Record(new StateLine { Job = job });
        if (!job.Fails)
        {
            state.Record(new StateLine
            {
                Report = new ReportRecord(reportId, job.Id, order.Type, order.Title, now, order.Filters, content.Json(), content.Transactions())
                {
                    Application = application,
                },
            });
        }

        return job;
    }

    private bool IsDrawn(string what, ulong number, double share) =>
        Chance.Unit(Chance.Mix(Chance.Mix((uint)options.Current.Seed, what), number)) < share;

    private Task List(HttpContext context, BasiqApplication application)
    {
        var now = clock.GetUtcNow();
        ReportRecord[] reports =
            [.. state.Reports.Where(report => report.Application == application && IsThere(report, now)).OrderByDescending(report => report.Created)];
        return Answers.Json(context, 200, (reports, context.BaseUrl()), static (writer, x) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("count"u8, x.reports.Length);
            writer.WriteNumber("size"u8, x.reports.Length);
            writer.WriteStartArray("data"u8);
            foreach (var report in x.reports)
            {
                writer.WriteStartObject();
                writer.WriteString("type"u8, "report"u8);
                writer.WriteString("id"u8, report.Id);
                writer.WriteString("title"u8, report.Title);
                writer.WriteString("reportType"u8, report.Type);
                writer.WriteString("createdDate"u8, Answers.Timestamp(report.Created));
                writer.WriteString("createdBy"u8, "Sandbox"u8);
                writer.WriteString("expiresAt"u8, Answers.Timestamp(report.Created + Kept));
                writer.WritePropertyName("filters"u8);
                writer.WriteRawValue(report.Filters);
                writer.WriteStartObject("links"u8);
                writer.WriteString("self"u8, $"{x.Item2}/reports/{report.Id}");
                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{x.Item2}/reports");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static async Task Get(HttpContext context, ReportRecord report)
    {
        if (!ApiRoutes.WantsPdf(context))
        {
            await Text(context, report.Json);
            return;
        }

        var pdf = ReportPdf.Make(report.Json, report.Transactions);
        context.Response.ContentType = "application/pdf";
        context.Response.ContentLength = pdf.Length;
        await context.Response.Body.WriteAsync(pdf, context.RequestAborted);
    }

    private static Task Transactions(HttpContext context, ReportRecord report) => Text(context, report.Transactions);

    private Task Delete(HttpContext context, ReportRecord report)
    {
        state.Record(new StateLine { DeletedReport = report.Id });
        return Answers.NoContent(context);
    }

    private static Task Types(HttpContext context) => Answers.Json(context, 200, 0, static (writer, _) =>
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "list"u8);
        writer.WriteNumber("count"u8, 2);
        writer.WriteStartArray("data"u8);
        WriteType(writer, ReportOrder.Affordability);
        WriteType(writer, ReportOrder.Statement);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static Task Type(HttpContext context) => (string)context.Request.RouteValues["reportTypeId"]! is var id and (ReportOrder.Affordability or ReportOrder.Statement)
        ? Answers.Json(context, 200, id, WriteType)
        : Answers.NotFound(context);

    private static void WriteType(Utf8JsonWriter writer, string id)
    {
        var isStatement = id is ReportOrder.Statement;
        writer.WriteStartObject();
        writer.WriteString("type"u8, "report"u8);
        writer.WriteString("id"u8, id);
        writer.WriteString("name"u8, isStatement ? "Bank Statement"u8 : "Consumer Affordability Report"u8);
        writer.WriteStartArray("filters"u8);
        foreach (var name in (string[])(isStatement ? ["fromDate", "account"] : ["fromDate", "toDate", "accounts", "users"]))
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            writer.WriteString("type"u8, name is "accounts" or "users" ? "array"u8 : "string"u8);
            writer.WriteBoolean("required"u8, true);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private Task WithReport(HttpContext context, BasiqApplication application, string name, Func<HttpContext, ReportRecord, Task> handler) =>
        state.Report((string)context.Request.RouteValues[name]!) is { } report && report.Application == application && IsThere(report, clock.GetUtcNow())
            ? handler(context, report)
            : Answers.NotFound(context);

    /// <summary>From when its job has made it until Basiq forgets it.</summary>
    private bool IsThere(ReportRecord report, DateTimeOffset now) =>
        now - report.Created < Kept && state.Job(report.JobId) is { } job && new JobProgress(job, now).Whole is StepStatus.Success;

    private static async Task Text(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json, context.RequestAborted);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class ReportJson : System.Text.Json.Serialization.JsonSerializerContext;
