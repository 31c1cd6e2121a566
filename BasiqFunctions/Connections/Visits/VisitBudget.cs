using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NodaTime;

namespace BasiqFunctions.Connections.Visits;

/// <summary>
/// How often a bank may still be visited for a connection. One row per connection and day of the banks' time zone, which every change must find as it
/// was read: of instances that race none goes beyond the budget. A visit is written down before Basiq is asked for it, so that a crash in between
/// costs one, and never a visit too many.
/// </summary>
public sealed class VisitBudget(
    [FromKeyedServices(ConnectionOptions.Section)] IRecordTable table,
    IOptions<ConnectionOptions> options,
    IOptions<SnapshotOptions> snapshots,
    TimeProvider clock)
{
    /// <summary>What the names of its rows begin with.</summary>
    internal const string Prefix = "visits.";

    private readonly Lazy<DateTimeZone> _zone = new(() => DateTimeZoneProviders.Tzdb[snapshots.Value.TimeZone]);

    /// <summary>Takes a visit out of the day's budget, unless that is spent.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection.</param>
    /// <param name="isAttended">Whether the person is present: a part of the budget is kept for that.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task<Visit> TakeAsync(UserId userId, ConnectionId connectionId, bool isAttended, CancellationToken cancellation)
    {
        var (day, endsAt) = Today();
        var row = RowOf(connectionId, day);
        while (true)
        {
            var found = await table.FindAsync(PartitionOf(userId), row, cancellation);
            var kept = Read(found);
            if (LeftOf(kept, isAttended) <= 0)
                return new Visit(userId, row, null, endsAt);
            var id = Guid.NewGuid().ToString("N", null);
            if (await WriteAsync(userId, row, kept with { Visits = [.. kept.Visits, new KeptVisit(id, isAttended)] }, found, endsAt, cancellation))
                return new Visit(userId, row, id, endsAt);
        }
    }

    /// <summary>Notes which job a visit has become. Where another visit has that job, the bank was not visited again, and this one goes back.</summary>
    internal Task SettleAsync(Visit visit, JobId jobId, CancellationToken cancellation) => ChangeAsync(
        visit,
        kept => kept.Visits.Any(other => other.Id != visit.Id && other.JobId == jobId)
            ? kept with { Visits = [.. kept.Visits.Where(other => other.Id != visit.Id)] }
            : kept with { Visits = [.. kept.Visits.Select(other => other.Id == visit.Id ? other with { JobId = jobId } : other)] },
        cancellation);

    /// <summary>Puts a visit back that was not made.</summary>
    /// <param name="visit">The visit.</param>
    /// <param name="isRefused">Whether Basiq refused it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal Task ReturnAsync(Visit visit, bool isRefused, CancellationToken cancellation) => ChangeAsync(
        visit,
        kept => new KeptVisits([.. kept.Visits.Where(other => other.Id != visit.Id)], kept.Refused + (isRefused ? 1 : 0)),
        cancellation);

    /// <summary>How many visits are left today to somebody who is present, by connection, and when the next day begins.</summary>
    internal async Task<(Func<ConnectionId, int> LeftOf, DateTimeOffset EndsAt)> CountAsync(UserId userId, CancellationToken cancellation)
    {
        var (day, endsAt) = Today();
        var counted = (await table.ListAllAsync(PartitionOf(userId), cancellation).ToListAsync(cancellation))
            .Where(record => record.Row.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary(record => record.Row, Read, StringComparer.Ordinal);
        return (connectionId => counted.TryGetValue(RowOf(connectionId, day), out var kept)
            ? Math.Max(0, LeftOf(kept, isAttended: true))
            : options.Value.VisitsPerDay, endsAt);
    }

    private int LeftOf(KeptVisits kept, bool isAttended)
    {
        var settings = options.Value;
        var left = settings.VisitsPerDay - kept.Visits.Count;
        return isAttended ? left : Math.Min(left, settings.VisitsPerDay - settings.VisitsForPeople - kept.Visits.Count(visit => !visit.IsAttended));
    }

    private async Task ChangeAsync(Visit visit, Func<KeptVisits, KeptVisits> change, CancellationToken cancellation)
    {
        // Whatever has been removed meanwhile has gone with its user or its connection.
        while (await table.FindAsync(PartitionOf(visit.UserId), visit.Row, cancellation) is { Damage: null } found
            && !await WriteAsync(visit.UserId, visit.Row, change(Read(found)), found, visit.NextDayAt, cancellation))
        {
        }
    }

    private async Task<bool> WriteAsync(
        UserId userId, string row, KeptVisits kept, TableRecord? found, DateTimeOffset endsAt, CancellationToken cancellation)
    {
        var record = new TableRecord(PartitionOf(userId), row, kept.ToContent()) { ETag = found?.ETag, ExpiresAt = endsAt };
        return (found is null ? await table.TryAddAsync(record, cancellation) : await table.TryReplaceAsync(record, cancellation)) is not null;
    }

    /// <summary>The day, and when it ends.</summary>
    private (LocalDate Day, DateTimeOffset EndsAt) Today()
    {
        var day = Instant.FromDateTimeOffset(clock.GetUtcNow()).InZone(_zone.Value).Date;
        return (day, day.PlusDays(1).AtStartOfDayInZone(_zone.Value).ToInstant().ToDateTimeOffset());
    }

    private static string RowOf(ConnectionId connectionId, LocalDate day) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{connectionId}.{day:yyyyMMdd}");

    private static KeptVisits Read(TableRecord? record) => record?.Read<KeptVisits>() ?? new KeptVisits([]);

    private static string PartitionOf(UserId userId) => $"user-{userId}";
}

/// <summary>A visit that was asked of the budget.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Row">Where it is counted.</param>
/// <param name="Id">What tells it from others; null where the budget is spent.</param>
/// <param name="NextDayAt">When the next day begins.</param>
internal sealed record Visit(UserId UserId, string Row, string? Id, DateTimeOffset NextDayAt);

/// <summary>The visits of a day.</summary>
/// <param name="Visits">Those that were made, or may have been.</param>
/// <param name="Refused">How many were not made, since Basiq refused them.</param>
internal sealed record KeptVisits(
    [property: JsonPropertyName("visits")] IReadOnlyList<KeptVisit> Visits,
    [property: JsonPropertyName("refused")] int Refused = 0);

/// <summary>A visit.</summary>
/// <param name="Id">What tells it from others.</param>
/// <param name="IsAttended">Whether the person was present.</param>
/// <param name="JobId">The job that made it, once Basiq has given it.</param>
internal sealed record KeptVisit(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("isAttended")] bool IsAttended,
    [property: JsonPropertyName("jobId")] JobId? JobId = null);
