using System.Globalization;
using System.Text;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>Counts the reports that all instances ask for, in one row a day (UTC): Basiq makes 1,000.</summary>
internal sealed class ReportQuota
{
    private const string Partition = "days";
    private const int MaxAttempts = 1_000;

    private readonly IRecordTable _table;
    private readonly IOptions<ReportOptions> _options;
    private readonly Instruments _instruments;
    private readonly TimeProvider _clock;
    private volatile Counted? _last;

    public ReportQuota([FromKeyedServices(ReportOptions.Section)] IRecordTable table, IOptions<ReportOptions> options, Instruments instruments, TimeProvider clock)
    {
        (_table, _options, _instruments, _clock) = (table, options, instruments, clock);
        instruments.ObserveReportsLeft(() => _last is { } last && last.Day == DayOf(clock.GetUtcNow()) ? Math.Max(0, options.Value.MaxPerDay - last.Count) : null);
    }

    /// <summary>Counts one report.</summary>
    /// <exception cref="ProblemException">429 until tomorrow: there are as many as there may be.</exception>
    public async Task TakeAsync(CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var now = _clock.GetUtcNow();
            var tomorrow = new DateTimeOffset(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero);
            var day = DayOf(now);
            var found = await _table.FindAsync(Partition, day, cancellation);
            var count = found is null ? 0 : int.Parse(found.Content, CultureInfo.InvariantCulture);
            if (count >= _options.Value.MaxPerDay)
            {
                _last = new Counted(day, count);
                _instruments.ReportAsked(isWithinLimit: false);
                throw new ProblemException(
                    Problem.Of(StatusCodes.Status429TooManyRequests, ProblemCodes.ReportLimit, "As many reports as Basiq makes in a day have been asked for; the next day begins at midnight UTC.")
                        with
                    { RetryAfter = tomorrow - now });
            }

            var counted = new TableRecord(Partition, day, Encoding.ASCII.GetBytes((count + 1).ToString(CultureInfo.InvariantCulture)))
            {
                ExpiresAt = tomorrow,
                ETag = found?.ETag,
            };
            if (await (found is null ? _table.TryAddAsync(counted, cancellation) : _table.TryReplaceAsync(counted, cancellation)) is null)
                continue;
            _last = new Counted(day, count + 1);
            _instruments.ReportAsked(isWithinLimit: true);
            return;
        }

        throw new InvalidOperationException($"The count of the day's reports changed {MaxAttempts} times while it was being raised.");
    }

    private static string DayOf(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    /// <summary>What this process last saw of a day's count.</summary>
    private sealed record Counted(string Day, int Count);
}
