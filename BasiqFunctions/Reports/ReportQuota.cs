using System.Globalization;
using System.Text;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>Counts the reports that all instances ask for, in one row a day (UTC): Basiq makes 1,000.</summary>
internal sealed class ReportQuota(
    [FromKeyedServices(ReportOptions.Section)] IRecordTable table, IOptions<ReportOptions> options, TimeProvider clock)
{
    private const string Partition = "days";
    private const int MaxAttempts = 1_000;

    /// <summary>Counts one report.</summary>
    /// <exception cref="ProblemException">429 until tomorrow: there are as many as there may be.</exception>
    public async Task TakeAsync(CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var now = clock.GetUtcNow();
            var tomorrow = new DateTimeOffset(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero);
            var day = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
            var found = await table.FindAsync(Partition, day, cancellation);
            var count = found is null ? 0 : int.Parse(found.Content, CultureInfo.InvariantCulture);
            if (count >= options.Value.MaxPerDay)
            {
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
            if (await (found is null ? table.TryAddAsync(counted, cancellation) : table.TryReplaceAsync(counted, cancellation)) is not null)
                return;
        }

        throw new InvalidOperationException($"The count of the day's reports changed {MaxAttempts} times while it was being raised.");
    }
}
