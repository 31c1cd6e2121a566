using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>The parts of a report that are kept, each in a blob of its own.</summary>
internal static class ReportPart
{
    /// <summary>What was asked for.</summary>
    public const string Request = "request";

    /// <summary>The report as Basiq sent it.</summary>
    public const string Json = "report.json";

    /// <summary>The same as PDF.</summary>
    public const string Pdf = "report.pdf";

    /// <summary>The transactions that it is about.</summary>
    public const string Transactions = "transactions.json";
}

/// <summary>Keeps reports: what is known of them in rows, what they say encrypted in blobs.</summary>
/// <remarks>
/// The owner's row is the mark of a report that may go on. Whoever removes it marks the row first, then removes the blobs and then the rows;
/// whoever adds blobs changes the row afterwards, and takes the blobs back where it is marked or gone. Rows are added where the request still lies
/// there, which is written once, before anything else. So whichever comes first, nothing stays.
/// </remarks>
public sealed class ReportStore : IKeptReports, IDueLook
{
    private const int MaxAttempts = 100;

    private readonly IRecordTable _table;
    private readonly ISnapshotStorage _storage;
    private readonly SealedBlobs _blobs;
    private readonly DueWork _due;
    private readonly IOptions<ReportOptions> _options;
    private readonly TimeProvider _clock;

    internal ReportStore(IRecordTable table, ISnapshotStorage storage, ReportSeal seal, DueWork due, IOptions<ReportOptions> options, TimeProvider clock) =>
        (_table, _storage, _blobs, _due, _options, _clock) = (table, storage, new SealedBlobs(storage, seal), due, options, clock);

    /// <summary>Keeps what is asked for, before anything else is known of the report.</summary>
    internal async Task AskAsync(KeptReport report, ReportRequest request, CancellationToken cancellation)
    {
        await _due.SetAsync(report.OwnerId, cancellation, (DueKinds.Report, EndOf(report)));
        await WriteAsync(report, ReportPart.Request, JsonSerializer.SerializeToUtf8Bytes(request, AppJson.Of<ReportRequest>()), cancellation);
    }

    /// <summary>Notes that a report has been asked for; done again it changes nothing. False where it has been removed meanwhile.</summary>
    internal async Task<bool> BeginAsync(KeptReport report, CancellationToken cancellation)
    {
        foreach (var userId in report.UserIds.Reverse())
            await _table.TryAddAsync(RecordOf(userId, report), cancellation);

        // After the rows: a removal that did not see them has taken out what was due before.
        await _due.SetAsync(report.OwnerId, cancellation, (DueKinds.Report, EndOf(report)));
        var begun = await FindAsync(report.OwnerId, report.ReportId, cancellation);
        if (begun is not { State: ReportState.InProgress } || await _storage.ExistsAsync(NameOf(report, ReportPart.Request), cancellation))
            return begun is not null;
        await RemoveAsync(report, cancellation);
        return false;
    }

    /// <summary>A report of a user; null when there is none, or none any more.</summary>
    internal async Task<KeptReport?> FindAsync(UserId ownerId, ReportId reportId, CancellationToken cancellation) =>
        (await FindRowAsync(ownerId, reportId, cancellation))?.Report;

    /// <summary>A user's reports, the newest first.</summary>
    internal async Task<IReadOnlyList<KeptReport>> ListAsync(UserId ownerId, CancellationToken cancellation) =>
    [
        .. (await OfUserAsync(ownerId, cancellation)).Where(report => report.OwnerId == ownerId && IsThere(report))
            .OrderByDescending(report => report.CreatedAt).ThenBy(report => report.ReportId, StringComparer.Ordinal),
    ];

    /// <summary>When a report has been kept as long as it may be.</summary>
    internal DateTimeOffset EndOf(KeptReport report) => report.CreatedAt + _options.Value.KeepFor;

    /// <summary>Changes what is known of a report; null when it is not there any more.</summary>
    internal async Task<KeptReport?> ChangeAsync(UserId ownerId, ReportId reportId, Func<KeptReport, KeptReport> change, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await FindRowAsync(ownerId, reportId, cancellation) is not { } row)
                return null;
            var changed = change(row.Report);
            if (await _table.TryReplaceAsync(RecordOf(ownerId, changed) with { ETag = row.ETag }, cancellation) is not null)
                return changed;
        }

        throw new InvalidOperationException($"A report changed {MaxAttempts} times while it was being changed.");
    }

    /// <summary>Encrypts and writes a part.</summary>
    internal Task WriteAsync(KeptReport report, string part, IAsyncEnumerable<ReadOnlyMemory<byte>> content, CancellationToken cancellation) =>
        _blobs.WriteAsync(NameOf(report, part), content, cancellation);

    /// <summary>Encrypts and writes a part that is in memory.</summary>
    internal Task WriteAsync(KeptReport report, string part, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        WriteAsync(report, part, AsyncEnumerable.Repeat(content, 1), cancellation);

    /// <summary>Opens a part; null when it is not there, or cannot be read.</summary>
    internal Task<SealedBlob?> OpenAsync(KeptReport report, string part, CancellationToken cancellation) => _blobs.TryOpenAsync(NameOf(report, part), cancellation);

    /// <summary>Reads a whole part; null when it is not there, or cannot be read.</summary>
    internal async Task<byte[]?> ReadAsync(KeptReport report, string part, CancellationToken cancellation)
    {
        using var blob = await OpenAsync(report, part, cancellation);
        if (blob is null)
            return null;
        using var whole = new MemoryStream();
        try
        {
            await foreach (var piece in blob.ReadAsync(cancellation))
                whole.Write(piece.Span);
        }
        catch (ReportDamagedException)
        {
            return null;
        }

        return whole.ToArray();
    }

    /// <summary>What was asked for; null when it cannot be read any more.</summary>
    internal async Task<ReportRequest?> ReadRequestAsync(KeptReport report, CancellationToken cancellation) =>
        await ReadAsync(report, ReportPart.Request, cancellation) is { } request ? JsonSerializer.Deserialize(request, AppJson.Of<ReportRequest>()) : null;

    /// <summary>Removes what was written of a report that is not there any more.</summary>
    internal Task RemoveBlobsAsync(UserId ownerId, ReportId reportId, CancellationToken cancellation) =>
        _storage.DeleteByPrefixAsync(SnapshotPaths.Report(ownerId, reportId), cancellation);

    /// <summary>Removes a report; done again it finishes what an interruption left.</summary>
    internal async Task RemoveAsync(KeptReport report, CancellationToken cancellation)
    {
        await ChangeAsync(report.OwnerId, report.ReportId, found => found with { State = ReportState.Removed }, cancellation);
        await RemoveBlobsAsync(report.OwnerId, report.ReportId, cancellation);
        foreach (var userId in report.UserIds.Reverse())
            await _table.RemoveAsync(PartitionOf(userId), report.ReportId, cancellation);
    }

    /// <inheritdoc />
    public async Task<int> CountAsync(UserId userId, ConnectionId? connectionId, DateTimeOffset begunAt, CancellationToken cancellation) =>
        (await MeantAsync(userId, connectionId, begunAt, cancellation)).Count;

    /// <inheritdoc />
    public async Task RemoveAsync(UserId userId, ConnectionId? connectionId, DateTimeOffset begunAt, CancellationToken cancellation)
    {
        foreach (var report in await MeantAsync(userId, connectionId, begunAt, cancellation))
            await RemoveAsync(report, cancellation);
        if (connectionId is not null)
            return;
        foreach (var (reportId, writtenAt) in await OrphansAsync(userId, cancellation))
        {
            if (!IsSince(begunAt, writtenAt))
                await RemoveBlobsAsync(userId, reportId, cancellation);
        }

        if ((await OfUserAsync(userId, cancellation)).Where(report => report.OwnerId == userId).Select(EndOf).ToArray() is { Length: > 0 } ends)
            await _due.SetAsync(userId, cancellation, (DueKinds.Report, ends.Min()));
    }

    /// <inheritdoc />
    public string Kind => DueKinds.Report;

    /// <summary>Removes a user's reports that have been kept as long as they may be, and gives when the next has.</summary>
    public async Task<DateTimeOffset?> LookAsync(DurableTaskClient client, UserId userId, Action<Notice> tell, CancellationToken cancellation)
    {
        List<DateTimeOffset> ends = [];
        foreach (var report in (await OfUserAsync(userId, cancellation)).Where(report => report.OwnerId == userId))
        {
            if (EndOf(report) <= _clock.GetUtcNow())
                await RemoveAsync(report, cancellation);
            else
                ends.Add(EndOf(report));
        }

        foreach (var (reportId, writtenAt) in await OrphansAsync(userId, cancellation))
        {
            if (writtenAt + _options.Value.KeepFor <= _clock.GetUtcNow())
                await RemoveBlobsAsync(userId, reportId, cancellation);
            else
                ends.Add(writtenAt + _options.Value.KeepFor);
        }

        return ends.Count > 0 ? ends.Min() : null;
    }

    private async Task<IReadOnlyList<KeptReport>> OfUserAsync(UserId userId, CancellationToken cancellation) =>
        [.. (await _table.ListAllAsync(PartitionOf(userId), cancellation).ToListAsync(cancellation)).Select(record => record.Read<KeptReport>())];

    /// <summary>What a removal is about: all of a user's reports, or those that have data of a connection by what their owners' rows say.</summary>
    private async Task<IReadOnlyList<KeptReport>> MeantAsync(UserId userId, ConnectionId? connectionId, DateTimeOffset begunAt, CancellationToken cancellation)
    {
        List<KeptReport> reports = [];
        foreach (var report in (await OfUserAsync(userId, cancellation)).Where(report => !IsSince(begunAt, report.CreatedAt)))
        {
            var current = report.OwnerId == userId ? report : await FindAsync(report.OwnerId, report.ReportId, cancellation) ?? report;
            if (connectionId is null || current.Has(connectionId))
                reports.Add(current);
        }

        return reports;
    }

    /// <summary>Whether something is newer than a removal. What has still to come was dated before the clock was set back.</summary>
    private bool IsSince(DateTimeOffset begunAt, DateTimeOffset at) => at > begunAt && at <= _clock.GetUtcNow();

    /// <summary>What lies there without a row, and when it was last written: the request of a report whose host died before it could be started.</summary>
    private async Task<IReadOnlyList<(ReportId ReportId, DateTimeOffset WrittenAt)>> OrphansAsync(UserId userId, CancellationToken cancellation)
    {
        var written = await _storage.ListAsync(SnapshotPaths.Reports(userId), cancellation)
            .GroupBy(blob => blob.Name.Split('/')[1], blob => blob.LastModified).Select(of => (ReportId: new ReportId(of.Key), WrittenAt: of.Max())).ToListAsync(cancellation);
        if (written.Count == 0)
            return [];
        var known = (await OfUserAsync(userId, cancellation)).Select(report => report.ReportId).ToHashSet();
        return [.. written.Where(blobs => !known.Contains(blobs.ReportId))];
    }

    private async Task<(KeptReport Report, string? ETag)?> FindRowAsync(UserId ownerId, ReportId reportId, CancellationToken cancellation) =>
        await _table.FindAsync(PartitionOf(ownerId), reportId, cancellation) is { } record
        && record.Read<KeptReport>() is var report && report.OwnerId == ownerId && IsThere(report)
            ? (report, record.ETag)
            : null;

    /// <summary>By what is known of it, and not by the clock: it goes when the daily pass, whose clock is confirmed, finds that it is time.</summary>
    private static bool IsThere(KeptReport report) => report.State is not ReportState.Removed;

    private static TableRecord RecordOf(UserId userId, KeptReport report) => new(PartitionOf(userId), report.ReportId, report.ToContent());

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    private static string NameOf(KeptReport report, string part) => SnapshotPaths.Report(report.OwnerId, report.ReportId) + part;
}
