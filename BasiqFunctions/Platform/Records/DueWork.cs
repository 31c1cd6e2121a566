using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// What is due and when. It is written when a date becomes known and read day by day: a daily pass costs what is due, however many users there are.
/// </summary>
/// <remarks>
/// <para>
/// A row lies in the partition of its day and one of <see cref="Shards"/> shards. Beside it, in one row of the user's own, stands on
/// which day each kind is due. Days that have rows are listed in a partition of their own, so that a pass finds those that were missed.
/// </para>
/// <para>
/// A date that comes earlier moves its row at once. One that comes later does not: whoever does what is due looks at what is true, and
/// moves the row then. Rows are added before they are removed elsewhere, so that a crash in between leaves one too many, never one too few;
/// until the old row is gone the user's own row names its day as well, so that whoever removes the user finds it.
/// </para>
/// </remarks>
public sealed class DueWork([FromKeyedServices(DueOptions.Section)] IRecordTable table, TimeProvider clock)
{
    internal const int Shards = 256;

    private const string Days = "days";
    private const string Passes = "passes";
    private const string Begun = "begun";
    private const string OfUser = "days";

    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <summary>The name of a day.</summary>
    internal static string DayOf(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    /// <summary>Has something be due on the first day that begins at or after a moment, and tomorrow at the earliest; sooner stays sooner.</summary>
    internal async Task SetAsync(UserId userId, CancellationToken cancellation, params (string Kind, DateTimeOffset At)[] dates)
    {
        while (true)
        {
            var found = await FindAsync(userId, cancellation);
            var noted = found.Days;
            foreach (var (kind, at) in dates)
            {
                var day = DayFor(at);
                if (noted.TryGetValue(kind, out var sooner) && string.CompareOrdinal(sooner, day) <= 0)
                    continue;
                await AddAsync(day, userId, RowOf(kind, userId), [], cancellation);
                noted = noted.SetItem(kind, day);
                if (sooner is not null)
                    noted = noted.SetItem(EarlierRow(kind, sooner), sooner);
            }

            if (noted == found.Days)
                return;
            if (await NoteAsync(userId, noted, found.Record, cancellation) is not { } record)
                continue;
            var moved = noted.Where(entry => !found.Days.ContainsKey(entry.Key) && IsEarlierRow(entry.Key)).ToArray();
            foreach (var (key, day) in moved)
                await table.RemoveAsync(PartitionOf(day, ShardOf(userId)), RowOf(KindOf(key), userId), cancellation);

            // Where somebody else has changed it meanwhile, it names a day without a row, which does no harm.
            if (moved.Length > 0)
                await NoteAsync(userId, noted.RemoveRange(moved.Select(entry => entry.Key)), record, cancellation);
            return;
        }
    }

    /// <summary>Has everything that can be due of a user be looked at tomorrow.</summary>
    internal Task SetAllAsync(UserId userId, CancellationToken cancellation) =>
        SetAsync(userId, cancellation, [.. DueKinds.OfUser.Select(kind => (kind, clock.GetUtcNow()))]);

    /// <summary>Has a record be removed once it has expired.</summary>
    internal Task SetRecordEndAsync(string tableKey, TableRecord record, DateTimeOffset expiresAt, CancellationToken cancellation)
    {
        var end = new RecordEnd(tableKey, record.Partition, record.Row);
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{end.Table}/{end.Partition}/{end.Row}")).AsSpan(0, 16));
        return AddAsync(DayFor(expiresAt), name, $"{DueKinds.RecordEnd}.{name}", end.ToContent(), cancellation);
    }

    /// <summary>The days up to one on which something was or is due.</summary>
    internal async Task<IReadOnlyList<string>> ListDaysAsync(string until, CancellationToken cancellation) =>
    [
        .. (await table.ListAllAsync(Days, cancellation).ToListAsync(cancellation)).Select(record => record.Row)
            .Where(day => string.CompareOrdinal(day, until) <= 0),
    ];

    /// <summary>Some of what is due on a day, of one shard.</summary>
    internal async Task<IReadOnlyList<DueItem>> ListAsync(string day, int shard, int limit, CancellationToken cancellation) =>
        [.. (await table.ListAsync(PartitionOf(day, shard), limit, null, cancellation)).Select(record => new DueItem(record))];

    /// <summary>Takes out what has been done.</summary>
    internal async Task DoneAsync(DueItem item, CancellationToken cancellation)
    {
        while (item.IsOfUser)
        {
            // Unless somebody has moved it meanwhile.
            var (record, days) = await FindAsync(item.UserId, cancellation);
            var left = days.Remove(EarlierRow(item.Kind, item.Day));
            if (left.GetValueOrDefault(item.Kind) == item.Day)
                left = left.Remove(item.Kind);
            if (left == days || await EndNoteAsync(item.UserId, left, record, cancellation))
                break;
        }

        await table.TryRemoveAsync(item.Record, cancellation);
    }

    /// <summary>Has something that was due be due again, as <see cref="SetAsync"/> does.</summary>
    internal async Task MoveAsync(DueItem item, DateTimeOffset at, CancellationToken cancellation)
    {
        var day = DayFor(at);
        if (!item.IsOfUser)
        {
            await AddAsync(day, item.Subject, item.Record.Row, item.Record.Content, cancellation);
            await table.TryRemoveAsync(item.Record, cancellation);
            return;
        }

        while (true)
        {
            var (record, days) = await FindAsync(item.UserId, cancellation);

            // Somebody has moved it meanwhile, or has removed the user.
            if (record is not { Damage: not null } && days.GetValueOrDefault(item.Kind) != item.Day)
                break;
            await AddAsync(day, item.Subject, item.Record.Row, [], cancellation);
            if (await NoteAsync(item.UserId, days.SetItem(item.Kind, day), record, cancellation) is null)
                continue;
            await table.TryRemoveAsync(item.Record, cancellation);
            return;
        }

        await DoneAsync(item, cancellation);
    }

    /// <summary>Takes a day out of the list: nothing is due on it any more.</summary>
    internal Task EndDayAsync(string day, CancellationToken cancellation) => table.RemoveAsync(Days, day, cancellation);

    /// <summary>Takes out all that is due of a user.</summary>
    internal async Task RemoveUserAsync(UserId userId, CancellationToken cancellation)
    {
        while (await FindAsync(userId, cancellation) is { Record: { } record } found)
        {
            // The note last: whoever changes it meanwhile has added rows.
            foreach (var (key, day) in found.Days)
                await table.RemoveAsync(PartitionOf(day, ShardOf(userId)), RowOf(KindOf(key), userId), cancellation);
            if (await table.TryRemoveAsync(record, cancellation))
                return;
        }
    }

    /// <summary>Whether what was kept before there were dates has been written down.</summary>
    internal async Task<bool> HasBegunAsync(CancellationToken cancellation) => await table.FindAsync(Passes, Begun, cancellation) is not null;

    /// <summary>Notes that it has been.</summary>
    internal Task BeginAsync(CancellationToken cancellation) => table.TryAddAsync(new TableRecord(Passes, Begun, []), cancellation);

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    private static string PartitionOf(string day, int shard) => $"{day}-{shard:x2}";

    private static int ShardOf(string name) => SHA256.HashData(Encoding.UTF8.GetBytes(name))[0];

    private static string RowOf(string kind, UserId userId) => $"{kind}.{userId}";

    /// <summary>Under which name a user's own row has the day of a row that is about to go, since its work has become due sooner.</summary>
    private static string EarlierRow(string kind, string day) => $"{kind}@{day}";

    private static bool IsEarlierRow(string key) => key.Contains('@', StringComparison.Ordinal);

    private static string KindOf(string key) => key.Split('@')[0];

    /// <summary>On which day each kind is due of a user. What is damaged says nothing, and is written anew.</summary>
    private async Task<(TableRecord? Record, ImmutableSortedDictionary<string, string> Days)> FindAsync(UserId userId, CancellationToken cancellation)
    {
        var found = await table.FindAsync(PartitionOf(userId), OfUser, cancellation);
        return (found, found is { Damage: null } ? found.Read<ImmutableSortedDictionary<string, string>>() : ImmutableSortedDictionary<string, string>.Empty);
    }

    /// <summary>Notes on which day each kind is due; null when somebody else has changed that since it was looked up.</summary>
    private Task<TableRecord?> NoteAsync(
        UserId userId, ImmutableSortedDictionary<string, string> days, TableRecord? found, CancellationToken cancellation)
    {
        var noted = new TableRecord(PartitionOf(userId), OfUser, days.ToContent())
        {
            ETag = found?.ETag,
        };
        return found is null ? table.TryAddAsync(noted, cancellation) : table.TryReplaceAsync(noted, cancellation);
    }

    /// <summary>Notes what is left, or that nothing is; false when somebody else has changed it since it was looked up.</summary>
    private async Task<bool> EndNoteAsync(
        UserId userId, ImmutableSortedDictionary<string, string> left, TableRecord? found, CancellationToken cancellation) =>
        left.IsEmpty
            ? found is null || await table.TryRemoveAsync(found, cancellation)
            : await NoteAsync(userId, left, found, cancellation) is not null;

    private string DayFor(DateTimeOffset at)
    {
        var (moment, tomorrow) = (at.UtcDateTime, clock.GetUtcNow().UtcDateTime.Date.AddDays(1));
        var day = moment == moment.Date ? moment : moment < DateTime.MaxValue.Date ? moment.Date.AddDays(1) : moment.Date;
        return DayOf(day < tomorrow ? tomorrow : day);
    }

    /// <summary>A row that is there is written anew: whoever is about to take it out, since what it said is done, then finds another one.</summary>
    private async Task AddAsync(string day, string shardOf, string row, byte[] content, CancellationToken cancellation)
    {
        if (!_known.ContainsKey(day))
        {
            await table.TryAddAsync(new TableRecord(Days, day, []), cancellation);
            _known[day] = true;
        }

        var record = new TableRecord(PartitionOf(day, ShardOf(shardOf)), row, content);
        if (await table.TryAddAsync(record, cancellation) is null)
            await table.PutAsync(record, cancellation);
    }
}

/// <summary>Something that is due: the row says what, and for whom.</summary>
internal sealed record DueItem(TableRecord Record)
{
    public string Kind => Record.Row[..Record.Row.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The user; of the end of a record no more than a name.</summary>
    public string Subject => Record.Row[(Record.Row.IndexOf('.', StringComparison.Ordinal) + 1)..];

    public UserId UserId => new(Subject);

    /// <summary>All else is of users, also what a later version of this app, rolled back by now, made due.</summary>
    public bool IsOfUser => Kind != DueKinds.RecordEnd;

    public string Day => Record.Partition[..Record.Partition.IndexOf('-', StringComparison.Ordinal)];
}

/// <summary>What can be due.</summary>
internal static class DueKinds
{
    /// <summary>Asking Basiq how a user's consents stand.</summary>
    public const string ConsentCheck = "consent-check";

    /// <summary>Looking whether something of a user has been kept as long as it may be.</summary>
    public const string Age = "age";

    /// <summary>Looking for what crashed syncs of a user left, for changes that are not kept any more, and for reads that nobody goes on with.</summary>
    public const string Leftover = "leftover";

    /// <summary>Looking whether a report of a user has been kept as long as it may be.</summary>
    public const string Report = "report";

    /// <summary>Looking at what Basiq did for a user in the background, where no event told of it.</summary>
    public const string JobLook = "job-look";

    /// <summary>Removing a record that has expired: a receipt, an answer for repetitions.</summary>
    public const string RecordEnd = "record-end";

    /// <summary>Those that are about a user.</summary>
    public static readonly IReadOnlyList<string> OfUser = [ConsentCheck, Age, Leftover, Report, JobLook];
}
