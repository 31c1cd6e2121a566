using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Reports;

/// <summary>The HTTP functions of reports.</summary>
public sealed class ReportFunctions(
    IBasiqClient basiq, UserReports reports, ReportStore store, IdempotentRequests requests, Instruments instruments, ILogger<ReportFunctions> logger)
{
    private const string PdfType = "application/pdf";
    private const string JsonType = "application/json; charset=utf-8";

    private static readonly ReportRequestValidator Validator = new();

    /// <summary>Has Basiq make a report about a user, or about several whose finances are assessed together: 202.</summary>
    [Function("CreateReport")]
    [Takes(typeof(ReportRequest), NullIsAbsent = true, Required = ["type"], Validator = typeof(ReportRequestValidator))]
    [Parameter(IdempotencyKey.Header, IdempotencyKey.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status202Accepted, typeof(ReportAnswer), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.UserNotFound, ProblemCodes.ConsentEnded, ProblemCodes.ReportLimit, AsksBasiq = true)]
    public async Task<IResult> CreateReport(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "users/{userId}/reports")] HttpRequest request,
        string userId,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var user = new UserId(userId);
        var asked = await JsonBody.ReadAsync(request, Validator, cancellation);
        if (asked.Twice(user) is { } twice)
            return Problem.InvalidInput(twice.Field, $"has {twice.Id} more than once.");
        if (asked.BeginsAfter(reports.Today))
            return Problem.InvalidInput("from", "must not be after 'to', which is today where it is left out.");
        var reportId = UserReports.IdFor(user, asked, IdempotencyKey.Parse(request.Headers[IdempotencyKey.Header])?.Id);
        return await requests.RunAsync(
            request,
            new IdempotentOperation(
                $"POST users/{userId}/reports",
                () => asked.Meaning(user),
                async token => (Answer(await reports.StartAsync(client, user, reportId, asked, token)).Accepted(), user))
            {
                UserId = user,
            },
            cancellation);
    }

    /// <summary>Lists a user's reports, the newest first, without what they say: 200.</summary>
    [Function("ListReports")]
    [Answers(StatusCodes.Status200OK, typeof(ReportList))]
    public async Task<IResult> ListReports(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/reports")] HttpRequest request,
        string userId,
        CancellationToken cancellation) =>
        JsonAnswer.Ok(new ReportList([.. (await store.ListAsync(new(userId), cancellation)).Select(Answer)]));

    /// <summary>Reads a report exactly as Basiq sent it, as JSON or, by <c>Accept</c>, as PDF: 200; 202 while it is being made.</summary>
    [Function("GetReport")]
    [Parameter("Accept", "application/pdf for the PDF.", IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(JsonElement))]
    [Answers(StatusCodes.Status200OK, typeof(string), ContentType = PdfType)]
    [Answers(StatusCodes.Status202Accepted, typeof(ReportAnswer), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.ReportNotFound, ProblemCodes.ReportFailed, ProblemCodes.ReportDamaged)]
    public Task<IResult> GetReport(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/reports/{reportId}")] HttpRequest request,
        string userId,
        string reportId,
        CancellationToken cancellation) =>
        WantsPdf(request.GetTypedHeaders())
            ? ReadAsync(new(userId), new(reportId), report => OpenAsync(report, ReportPart.Pdf, PdfType, $"report-{reportId}.pdf", cancellation), cancellation)
            : ReadAsync(new(userId), new(reportId), report => OpenAsync(report, ReportPart.Json, JsonType, null, cancellation), cancellation);

    /// <summary>Reads a report in short, with its metrics by id: 200; 202 while it is being made.</summary>
    [Function("GetReportSummary")]
    [Answers(StatusCodes.Status200OK, typeof(ReportSummary))]
    [Answers(StatusCodes.Status202Accepted, typeof(ReportAnswer), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.ReportNotFound, ProblemCodes.ReportFailed, ProblemCodes.ReportDamaged)]
    public Task<IResult> GetReportSummary(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/reports/{reportId}/summary")] HttpRequest request,
        string userId,
        string reportId,
        CancellationToken cancellation) =>
        ReadAsync(
            new(userId),
            new(reportId),
            async report => await store.ReadAsync(report, ReportPart.Json, cancellation) is { } json ? JsonAnswer.Ok(ReportSummary.Of(report.ReportId, json)) : null,
            cancellation);

    /// <summary>Reads the transactions that a report is about, each as Basiq sent it: 200; 202 while it is being made.</summary>
    [Function("ListReportTransactions")]
    [Answers(StatusCodes.Status200OK, typeof(JsonElement))]
    [Answers(StatusCodes.Status202Accepted, typeof(ReportAnswer), Headers = ["Location", "Retry-After"])]
    [FailsWith(ProblemCodes.ReportNotFound, ProblemCodes.ReportFailed, ProblemCodes.ReportDamaged)]
    public Task<IResult> ListReportTransactions(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/reports/{reportId}/transactions")] HttpRequest request,
        string userId,
        string reportId,
        CancellationToken cancellation) =>
        ReadAsync(new(userId), new(reportId), report => OpenAsync(report, ReportPart.Transactions, JsonType, null, cancellation), cancellation);

    /// <summary>Removes a report here and at Basiq: 204. One that is being made is not kept.</summary>
    [Function("DeleteReport")]
    [Answers(StatusCodes.Status204NoContent)]
    [FailsWith(ProblemCodes.ReportNotFound, AsksBasiq = true)]
    public async Task<IResult> DeleteReport(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "users/{userId}/reports/{reportId}")] HttpRequest request,
        string userId,
        string reportId,
        CancellationToken cancellation) =>
        await reports.DeleteAsync(new(userId), new(reportId), cancellation) ? Results.NoContent() : NotFound();

    /// <summary>Lists the types of reports that Basiq makes, as it gives them: 200.</summary>
    [Function("ListReportTypes")]
    [Answers(StatusCodes.Status200OK, typeof(ReportTypeList))]
    [FailsWith(AsksBasiq = true)]
    public async Task<IResult> ListReportTypes(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "report-types")] HttpRequest request, CancellationToken cancellation) =>
        JsonAnswer.Ok(new ReportTypeList(await basiq.ListReportTypesAsync(cancellation)));

    private async Task<IResult> ReadAsync(UserId userId, ReportId reportId, Func<KeptReport, Task<IResult?>> read, CancellationToken cancellation) =>
        await store.FindAsync(userId, reportId, cancellation) switch
        {
            null => NotFound(),
            { State: ReportState.InProgress } report => Answer(report).Accepted(),
            { State: ReportState.Failed } report => Problem.Conflict(ProblemCodes.ReportFailed, $"The report could not be had: {report.Error}. Ask for another one."),
            var report => await read(report) ?? Damaged(report),
        };

    private async Task<IResult?> OpenAsync(KeptReport report, string part, string contentType, string? fileName, CancellationToken cancellation) =>
        await store.OpenAsync(report, part, cancellation) is { } blob ? new ReportContent(report.ReportId, blob, contentType, fileName, instruments, logger) : null;

    private ProblemResult Damaged(KeptReport report)
    {
        instruments.Damaged("reports");
        Log.ReportDamaged(logger, report.ReportId);
        return Problem.Of(StatusCodes.Status500InternalServerError, ProblemCodes.ReportDamaged, "What is stored of the report cannot be read: ask for another one.");
    }

    /// <summary>Whether a caller would rather have the PDF.</summary>
    private static bool WantsPdf(RequestHeaders headers) =>
        headers.Accept.OrderByDescending(type => type.Quality ?? 1).FirstOrDefault(type => type.MediaType.Equals(PdfType, StringComparison.OrdinalIgnoreCase) || IsJson(type)) is { } first
        && !IsJson(first);

    private static bool IsJson(MediaTypeHeaderValue type) => type.MatchesMediaType("application/json");

    private ReportAnswer Answer(KeptReport report) => ReportAnswer.Of(report, store.EndOf(report));

    private static ProblemResult NotFound() => Problem.NotFound(ProblemCodes.ReportNotFound, "The user has no such report, or no longer.");
}
