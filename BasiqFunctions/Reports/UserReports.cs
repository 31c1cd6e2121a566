using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>Starts, finds and removes users' reports.</summary>
public sealed class UserReports
{
    /// <summary>How long Basiq has a report.</summary>
    private static readonly TimeSpan AtBasiq = TimeSpan.FromHours(24);

    private readonly IBasiqClient _basiq;
    private readonly ReportStore _store;
    private readonly ReportQuota _quota;
    private readonly IEnumerable<IConsentCheck> _consents;
    private readonly IOptions<ReportOptions> _options;
    private readonly BankDays _days;
    private readonly TimeProvider _clock;
    private readonly ILogger<UserReports> _logger;

    internal UserReports(
        IBasiqClient basiq,
        ReportStore store,
        ReportQuota quota,
        IEnumerable<IConsentCheck> consents,
        IOptions<ReportOptions> options,
        BankDays days,
        TimeProvider clock,
        ILogger<UserReports> logger) =>
        (_basiq, _store, _quota, _consents, _options, _days, _clock, _logger) = (basiq, store, quota, consents, options, days, clock, logger);

    /// <summary>The day at the banks, to which a report reaches that does not say.</summary>
    internal DateOnly Today => _days.On(_clock.GetUtcNow());

    /// <summary>The id of a report: of the same request with the same <c>Idempotency-Key</c> the same however often it comes.</summary>
    internal static ReportId IdFor(UserId userId, ReportRequest request, string? idempotencyKey) => new(
        idempotencyKey is null ? Guid.NewGuid().ToString("N") : Digest($"{idempotencyKey}\n{Convert.ToHexStringLower(request.Meaning(userId))}", 16));

    /// <summary>The id of the orchestration that makes a report.</summary>
    internal static string InstanceIdFor(KeptReport report) => $"{ReportOrchestration.Prefix}{Digest(report.OwnerId, 8)}-{report.ReportId}";

    /// <summary>Asks for a report, or finds it where it was asked for before.</summary>
    /// <exception cref="ProblemException">A consent has ended, or there are as many reports as there may be.</exception>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know a user.</exception>
    internal async Task<KeptReport> StartAsync(DurableTaskClient client, UserId userId, ReportId reportId, ReportRequest request, CancellationToken cancellation)
    {
        if (await _store.FindAsync(userId, reportId, cancellation) is { } found)
            return found;
        var userIds = request.UsersWith(userId);
        foreach (var user in userIds)
        {
            await _basiq.GetUserAsync(user, cancellation);
            await ThrowIfConsentHasEndedAsync(client, user, cancellation);
        }

        await _quota.TakeAsync(cancellation);
        var report = new KeptReport(reportId, userIds, request.Type!, _clock.GetUtcNow(), ReportState.InProgress);

        // From here on a caller that hangs up does not leave it half-way, and once it is scheduled it goes on by itself.
        await _store.AskAsync(report, request, CancellationToken.None);
        await ScheduleAsync(client, report);
        if (!await _store.BeginAsync(report, CancellationToken.None))
            throw new ProblemException(ConsentEnded);
        Log.ReportAsked(_logger, reportId, userId, userIds.Count);
        return report;
    }

    /// <summary>Removes a report here and, as long as it may have it, at Basiq; false when the user has none.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked; nothing has been removed.</exception>
    public async Task<bool> DeleteAsync(UserId userId, ReportId reportId, CancellationToken cancellation)
    {
        if (await _store.FindAsync(userId, reportId, cancellation) is not { } report)
            return false;
        if (report.BasiqId is { } basiqId && _clock.GetUtcNow() - report.CreatedAt < AtBasiq)
            await _basiq.DeleteReportAsync(basiqId, cancellation).NotFoundAsync();
        await _store.RemoveAsync(report, CancellationToken.None);
        return true;
    }

    private static ProblemResult ConsentEnded => Problem.NotFound(ProblemCodes.ConsentEnded, "The consent of a user has ended.");

    private async Task ThrowIfConsentHasEndedAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        foreach (var consent in _consents)
        {
            if (await consent.HasEndedAsync(client, userId, cancellation))
                throw new ProblemException(ConsentEnded);
        }
    }

    private async Task ScheduleAsync(DurableTaskClient client, KeptReport report)
    {
        var settings = _options.Value;
        var instanceId = InstanceIdFor(report);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                ReportOrchestration.Name,
                new ReportInput(report.ReportId, report.UserIds, report.Type, report.CreatedAt, settings.FirstPollDelay, settings.MaxPollDelay, settings.JobTimeout),
                new StartOrchestrationOptions(instanceId),
                CancellationToken.None);
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether there is one decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (await client.GetInstanceAsync(instanceId, CancellationToken.None) is null)
                throw;
        }
    }

    private static string Digest(string text, int bytes) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, bytes));
}
