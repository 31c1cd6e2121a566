using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Data.Exports;

/// <summary>Answers all transactions of a range of days in one file.</summary>
public sealed class ExportFunctions(
    ExportReader reader,
    SnapshotReader snapshots,
    DamagedAccounts damaged,
    IRemovalHistory removals,
    Instruments instruments,
    TimeProvider clock,
    ILogger<ExportFunctions> logger)
{
    private readonly SnapshotAnswers _answers = new(snapshots, damaged, removals, instruments, logger);

    /// <summary>All transactions of a range of days as CSV (RFC 4180, UTF-8, with a header): 200.</summary>
    [Function("ExportTransactionsAsCsv")]
    [Parameter("from", "The first day, by the bank's day of posting.", Type = typeof(DateOnly))]
    [Parameter("to", "The last day.", Type = typeof(DateOnly))]
    [Parameter("status", "Only those.", Type = typeof(TransactionStatus))]
    [Parameter("accountId", "Only this account's.")]
    [Parameter("connectionId", "Only this connection's accounts'.")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(string), ContentType = ExportFormat.CsvType, Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(
        ProblemCodes.NoSnapshot, ProblemCodes.ConsentEnded, ProblemCodes.AccountNotFound, ProblemCodes.ConnectionNotFound, ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ExportCsvAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/transactions.csv")] HttpRequest request,
        string userId,
        CancellationToken cancellationToken) =>
        ExportAsync(request, new(userId), ExportFormat.Csv, cancellationToken);

    /// <summary>All transactions of a range of days as Parquet, with decimals and dates: 200.</summary>
    [Function("ExportTransactionsAsParquet")]
    [Parameter("from", "The first day, by the bank's day of posting.", Type = typeof(DateOnly))]
    [Parameter("to", "The last day.", Type = typeof(DateOnly))]
    [Parameter("status", "Only those.", Type = typeof(TransactionStatus))]
    [Parameter("accountId", "Only this account's.")]
    [Parameter("connectionId", "Only this connection's accounts'.")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(string), ContentType = ExportFormat.ParquetType, Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(
        ProblemCodes.NoSnapshot, ProblemCodes.ConsentEnded, ProblemCodes.AccountNotFound, ProblemCodes.ConnectionNotFound, ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ExportParquetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/transactions.parquet")] HttpRequest request,
        string userId,
        CancellationToken cancellationToken) =>
        ExportAsync(request, new(userId), ExportFormat.Parquet, cancellationToken);

    private Task<IResult> ExportAsync(HttpRequest request, UserId userId, ExportFormat format, CancellationToken cancellationToken) =>
        _answers.ReadAsync(
            userId,
            async user =>
            {
                ArgumentNullException.ThrowIfNull(request);
                var errors = new FieldErrors();
                QueryParameters.Check(request.Query, errors, "from", "to", "status", "accountId", "connectionId");
                var query = new MergedQuery(
                    TransactionParameters.Read(request.Query, errors),
                    QueryParameters.Id(request.Query, "accountId", errors, id => new AccountId(id)),
                    QueryParameters.Id(request.Query, "connectionId", errors, id => new ConnectionId(id)));
                if (errors.Count > 0)
                    return Problem.InvalidInput(errors);
                if (EntityTags.NamesTags(request)
                    && await snapshots.FindVersionAsync(user, query, cancellationToken) is { } version
                    && TagOf(request, version) is var known
                    && EntityTags.IsKnown(request, known))
                    return new NotModified(known);
                var (export, missing) = await reader.OpenAsync(user, query, cancellationToken);
                if (export is null)
                    return await _answers.NothingAsync(user, missing!, cancellationToken);
                var tag = TagOf(request, export.Version);
                if (!EntityTags.IsKnown(request, tag))
                    return new ExportResult(export, format, tag, reader, _answers, clock, logger);
                await export.DisposeAsync();
                return new NotModified(tag);
            },
            cancellationToken);

    private static EntityTagHeaderValue TagOf(HttpRequest request, string version) => EntityTags.Of(request.Path, request.QueryString.Value, version);
}
