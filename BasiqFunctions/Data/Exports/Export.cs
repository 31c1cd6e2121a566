using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data.Changes;

namespace BasiqFunctions.Data.Exports;

/// <summary>
/// The transactions of one snapshot, account by account and in the order in which Basiq sent them: what is read stays until this is disposed, whatever is
/// published meanwhile. A page of a segment is held at a time.
/// </summary>
internal sealed class Export(
    SegmentReader reader, HeldReads reads, BankDays days, UserId userId, string readId, IReadOnlyList<ManifestAccount> accounts, TransactionFilter filter, string version)
    : IAsyncDisposable
{
    /// <summary>The user.</summary>
    public UserId UserId => userId;

    /// <summary>What tells these transactions from those before and after them.</summary>
    public string Version => version;

    /// <summary>Reads all of them: of each the values of <see cref="ExportColumn.All"/>, a day as <c>yyyy-MM-dd</c>; null for none.</summary>
    /// <exception cref="SnapshotCorruptException">A segment is damaged, or went with its connection.</exception>
    public async IAsyncEnumerable<IReadOnlyList<string?[]>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var account in accounts)
        {
            var transactions = account.Transactions!;
            for (var s = 0; s < transactions.Segments.Count; s++)
            {
                var view = new SegmentView(transactions.Segments[s], filter, days);
                if (!view.MayMatchSegment)
                    continue;
                var name = SnapshotPaths.Segment(userId, account.AccountId, transactions, s);
                foreach (var entry in (await reader.ReadIndexAsync(name, view.Entry, cancellationToken)).Pages)
                {
                    if (!view.MayMatch(entry.Extent))
                        continue;
                    using var page = await reader.ReadPageAsync(name, entry, cancellationToken);
                    if (RowsOf(page, account, view, view.MatchesAll(entry.Extent)) is { Count: > 0 } rows)
                        yield return rows;
                }
            }
        }
    }

    /// <summary>Writes all of them in a format, as they are read.</summary>
    /// <exception cref="SnapshotCorruptException">As <see cref="ReadAsync"/>.</exception>
    public async Task WriteAsync(ExportFormat format, Stream target, CancellationToken cancellationToken)
    {
        await using var buffer = new ExportBuffer();
        await using (var writer = await format.OpenAsync(buffer, cancellationToken))
        {
            await foreach (var rows in ReadAsync(cancellationToken))
            {
                await writer.WriteAsync(rows, cancellationToken);
                await buffer.DrainAsync(target, cancellationToken);
            }
        }

        await buffer.DrainAsync(target, cancellationToken);
    }

    /// <summary>Lets go of what was read.</summary>
    public async ValueTask DisposeAsync() => await reads.DropAsync(userId, readId);

    private List<string?[]> RowsOf(SegmentPage page, ManifestAccount account, in SegmentView view, bool isAll)
    {
        var lines = page.Lines();
        List<string?[]> rows = new(lines.Length);
        foreach (var range in lines)
        {
            var line = page.Bytes[range];
            if (isAll || view.Matches(line))
                rows.Add(RowOf(JsonElement.Parse(line), account));
        }

        return rows;
    }

    private string?[] RowOf(JsonElement transaction, ManifestAccount account)
    {
        var columns = ExportColumn.All;
        var row = new string?[columns.Count];
        (row[0], row[1], row[2]) = (account.AccountId, account.ConnectionId, account.InstitutionId);
        for (var i = 3; i < row.Length; i++)
        {
            var text = transaction.Text(columns[i].Path);
            row[i] = columns[i].Kind is ExportKind.Day ? DayOf(text) : text;
        }

        return row;
    }

    private string? DayOf(string? text) =>
        text is null ? null : Extent.ToDate(days.Of(Encoding.UTF8.GetBytes(text)))?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
