using System.Runtime.InteropServices;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>The steps of a report. Each may run again after a crash, and then finds what the first run did.</summary>
public sealed class ReportActivities(
    IBasiqClient basiq,
    ReportStore store,
    SnapshotReader snapshots,
    IEnumerable<IConsentCheck> consents,
    IOptions<ReportOptions> options,
    IOptions<SnapshotOptions> snapshotOptions,
    ClockCheck clockCheck,
    Instruments instruments,
    TimeProvider clock,
    ILogger<ReportActivities> logger)
{
    private const string NotListedYet = "report-not-listed-yet";
    private const string JobFailed = "report-not-made";
    private const string ClockInDoubt = "clock-not-confirmed";

    private static readonly UpstreamFailure Discarded = new(UpstreamFailure.DiscardedKind, "discarded", IsTransient: false);

    private static readonly UpstreamFailure Damaged = new(nameof(BasiqFailureKind.Other), ProblemCodes.ReportDamaged, IsTransient: false);

    /// <summary>Notes that the report has been asked for; false when it has been removed meanwhile.</summary>
    [Function(nameof(BeginReport))]
    public Task<bool> BeginReport([ActivityTrigger] ReportInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return store.BeginAsync(new KeptReport(input.ReportId, input.UserIds, input.Type, input.CreatedAt, ReportState.InProgress), cancellation);
    }

    /// <summary>
    /// Has Basiq make the report, once. That the creation is about to be sent is noted first; where what became of it is not known, the
    /// report is looked for in Basiq's list, by the mark in its title. It is sent again only where Basiq surely did not carry it out: it
    /// said so, or does not list the report when every job would be over.
    /// </summary>
    [Function(nameof(OrderReport))]
    public Task<Outcome<CreatedReport>> OrderReport([ActivityTrigger] ReportStep step, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        AsOutcomeAsync<CreatedReport>(step, async () =>
        {
            if (await store.FindAsync(step.UserId, step.ReportId, cancellation) is not { } report)
                return new Outcome<CreatedReport>(null, Discarded);
            if (report.JobId is not null || report.BasiqId is not null)
                return new Outcome<CreatedReport>(new CreatedReport(report.JobId, report.BasiqId));
            if (await HasAnyConsentEndedAsync(client, report, cancellation))
                return new Outcome<CreatedReport>(null, UpstreamFailure.ConsentEnded);
            if (report.SentAt is { } sentAt)
            {
                var listed = (await basiq.ListReportsAsync(cancellation)).FirstOrDefault(listed => listed.Title.EndsWith(report.Mark, StringComparison.Ordinal));
                if (listed is not null)
                {
                    Log.ReportFound(logger, report.ReportId, report.OwnerId);
                    return await NotedAsync(report with { BasiqId = listed.Id }, cancellation);
                }

                if (clock.GetUtcNow() - sentAt < options.Value.JobTimeout)
                    return Later(NotListedYet);
            }

            // By a clock that has jumped it could look as if the time of a job were over. Any answer of Basiq's tells the time.
            if (!clockCheck.IsConfirmed)
                await basiq.ListReportsAsync(cancellation);
            if (!clockCheck.IsConfirmed)
                return Later(ClockInDoubt);

            if (await store.ReadRequestAsync(report, cancellation) is not { } request)
                return new Outcome<CreatedReport>(null, Damaged);
            var accounts = request.NeedsAllAccounts ? await AccountsAsync(report.UserIds, cancellation) : [];
            var now = clock.GetUtcNow();
            if (await store.ChangeAsync(step.UserId, step.ReportId, found => found.SentAt == report.SentAt ? found with { SentAt = now } : found, cancellation) is not { } noted)
                return new Outcome<CreatedReport>(null, Discarded);
            if (noted.SentAt != now)
                return Later(NotListedYet);
            try
            {
                var jobId = await basiq.CreateReportAsync(request.ToDetails(report.UserIds, accounts, report.Mark, new BankDays(snapshotOptions.Value.TimeZone).On(report.CreatedAt)), cancellation);
                return await NotedAsync(report with { JobId = jobId, SentAt = now }, cancellation);
            }
            catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.OutcomeUnknown)
            {
                return new Outcome<CreatedReport>(null, UpstreamFailure.From(e.Failure) with { IsTransient = true });
            }
            catch (BasiqException)
            {
                await store.ChangeAsync(step.UserId, step.ReportId, found => found with { SentAt = null }, cancellation);
                throw;
            }
        });

    /// <summary>Looks how far the report's job is.</summary>
    [Function(nameof(ObserveReport))]
    public Task<Outcome<ObservedReport>> ObserveReport([ActivityTrigger] ReportJob input, CancellationToken cancellation) =>
        AsOutcomeAsync<ObservedReport>(input.Report, async () =>
        {
            var job = await basiq.GetJobAsync(input.JobId, cancellation);
            return new Outcome<ObservedReport>(job.Outcome switch
            {
                JobOutcome.Failed => new ObservedReport(Error: job.Steps.Select(step => JobCodes.Known(step.Result?.Code)).FirstOrDefault(code => code is not null) ?? JobFailed),
                JobOutcome.Succeeded => job.Report is { } id ? new ObservedReport(id) : new ObservedReport(Error: JobFailed),
                _ => new ObservedReport(),
            });
        });

    /// <summary>Fetches the report in all of its forms and keeps it; where it was removed meanwhile, it goes at Basiq as well.</summary>
    [Function(nameof(FetchReport))]
    public Task<Outcome<FetchedReport>> FetchReport([ActivityTrigger] ReportAtBasiq input, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        AsOutcomeAsync<FetchedReport>(input.Report, async () =>
        {
            var (userId, reportId) = (input.Report.UserId, input.Report.ReportId);
            if (await store.ChangeAsync(userId, reportId, found => found with { BasiqId = input.BasiqId }, cancellation) is not { } report)
                return await DiscardedAsync(input, cancellation);
            if (await HasAnyConsentEndedAsync(client, report, cancellation))
                return new Outcome<FetchedReport>(null, UpstreamFailure.ConsentEnded);
            if (report.State is ReportState.Ready)
                return new Outcome<FetchedReport>(new FetchedReport());
            var json = await basiq.GetReportAsync(input.BasiqId, cancellation);
            var connectionIds = ConnectionsIn(json);
            await store.WriteAsync(report, ReportPart.Json, json, cancellation);
            await store.WriteAsync(report, ReportPart.Pdf, await basiq.GetReportPdfAsync(input.BasiqId, cancellation), cancellation);
            await store.WriteAsync(report, ReportPart.Transactions, ListOf(basiq.ListReportTransactionsAsync(input.BasiqId, cancellation)), cancellation);
            if (await store.ChangeAsync(userId, reportId, found => found with { State = ReportState.Ready, ConnectionIds = connectionIds }, cancellation) is null)
                return await DiscardedAsync(input, cancellation);
            instruments.ReportEnded(isReady: true, clock.GetUtcNow() - report.CreatedAt);
            Log.ReportReady(logger, reportId, userId);
            return new Outcome<FetchedReport>(new FetchedReport());
        });

    /// <summary>Notes that the report could not be had; false when it was removed meanwhile.</summary>
    [Function(nameof(FailReport))]
    public async Task<bool> FailReport([ActivityTrigger] FailedReport input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var failed = await store.ChangeAsync(
            input.Report.UserId, input.Report.ReportId, found => found with { State = ReportState.Failed, Error = input.Code }, cancellation);
        await store.RemoveBlobsAsync(input.Report.UserId, input.Report.ReportId, cancellation);
        if (failed is null)
            return false;
        instruments.ReportEnded(isReady: false, clock.GetUtcNow() - failed.CreatedAt);
        Log.ReportFailed(logger, input.Report.ReportId, input.Report.UserId, input.Code);
        return true;
    }

    private static Outcome<CreatedReport> Later(string code) =>
        new(null, new UpstreamFailure(nameof(BasiqFailureKind.OutcomeUnknown), code, IsTransient: true));

    private async Task<Outcome<CreatedReport>> NotedAsync(KeptReport report, CancellationToken cancellation)
    {
        await store.ChangeAsync(report.OwnerId, report.ReportId, found => found with { JobId = report.JobId, BasiqId = report.BasiqId }, cancellation);
        return new Outcome<CreatedReport>(new CreatedReport(report.JobId, report.BasiqId));
    }

    private async Task<Outcome<FetchedReport>> DiscardedAsync(ReportAtBasiq input, CancellationToken cancellation)
    {
        await store.RemoveBlobsAsync(input.Report.UserId, input.Report.ReportId, cancellation);
        await basiq.DeleteReportAsync(input.BasiqId, cancellation).NotFoundAsync();
        return new Outcome<FetchedReport>(null, Discarded);
    }

    private async Task<bool> HasAnyConsentEndedAsync(DurableTaskClient client, KeptReport report, CancellationToken cancellation)
    {
        foreach (var userId in report.UserIds)
        {
            foreach (var consent in consents)
            {
                if (await consent.HasEndedAsync(client, userId, cancellation))
                    return true;
            }
        }

        return false;
    }

    /// <summary>The connections that a report's accounts came through; null where one does not say.</summary>
    private static IReadOnlyList<ConnectionId>? ConnectionsIn(byte[] report)
    {
        var json = JsonElement.Parse(report);
        if (!json.TryGetProperty("data", out var data) || data.ValueKind is not JsonValueKind.Object)
            return null;
        JsonElement[] accounts =
        [
            .. ((string[])["accounts", "account"]).Where(name => data.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array)
                .SelectMany(name => data.GetProperty(name).EnumerateArray()),
        ];
        string?[] ids = [.. accounts.Select(account => account.Text("connection")).Distinct()];
        return ids.Length == 0 || ids.Contains(null) ? null : [.. ids.OfType<string>().Select(id => new ConnectionId(id))];
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ListOf(IAsyncEnumerable<JsonElement> transactions)
    {
        var before = "{\"transactions\":["u8.ToArray();
        await foreach (var transaction in transactions)
        {
            yield return before;
            yield return JsonMarshal.GetRawUtf8Value(transaction).ToArray();
            before = ","u8.ToArray();
        }

        yield return before is [(byte)','] ? "]}"u8.ToArray() : "{\"transactions\":[]}"u8.ToArray();
    }

    /// <summary>
    /// The users' accounts at the banks that they are connected to, each once. Basiq makes no report of an uploaded statement's, nor of an
    /// account that it has twice, and goes on listing those of a connection that was deleted.
    /// </summary>
    private async Task<IReadOnlyList<string>> AccountsAsync(IReadOnlyList<UserId> userIds, CancellationToken cancellation)
    {
        List<(AccountFacts Facts, bool IsActive)> accounts = [];
        foreach (var userId in userIds)
        {
            var removed = await RemovedAsync(userId, cancellation);
            List<Connection> connections =
            [
                .. (await basiq.ListConnectionsAsync(userId, cancellation))
                    .Where(connection => connection is { IsDeleted: false, IsStatement: false } && !removed.Contains(connection.Id)),
            ];
            foreach (var account in await basiq.ListAccountsAsync(userId, cancellation))
            {
                if (account.Text("id") is { } id && RouteId.IsValid(id) && connections.Find(connection => connection.Id.Value == account.Text("connection")) is { } connection)
                    accounts.Add((AccountFacts.Of(new(id), connection.Id, JsonMarshal.GetRawUtf8Value(account).ToArray()), connection.IsActive));
            }
        }

        return
        [
            .. accounts.OrderByDescending(account => account.IsActive).Select(account => account.Facts).DistinctBy(facts => facts.AccountId)
                .DistinctBy(facts => facts.Number.Length == 0 ? (object)facts.AccountId : (facts.Institution, facts.Number, facts.Currency, facts.Class, facts.Name))
                .Select(facts => facts.AccountId.Value),
        ];
    }

    private async Task<IReadOnlyCollection<ConnectionId>> RemovedAsync(UserId userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.ListRemovedConnectionsAsync(userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            return [];
        }
    }

    private static async Task<Outcome<T>> AsOutcomeAsync<T>(ReportStep step, Func<Task<Outcome<T>>> run)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(step);
        try
        {
            return await run();
        }
        catch (BasiqException e)
        {
            return new Outcome<T>(null, UpstreamFailure.From(e.Failure));
        }
    }
}
