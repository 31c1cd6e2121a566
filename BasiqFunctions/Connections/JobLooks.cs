using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Connections;

/// <summary>
/// The daily look at what Basiq did in the background, which it asks for (Basiq, guide: Refreshing). It costs one call a user and day at most: where
/// an event of each of the user's connections has arrived since the last look, Basiq's events do arrive, and nothing is asked.
/// </summary>
public sealed class JobLooks(
    IBasiqClient basiq, [FromKeyedServices(ConnectionOptions.Section)] IRecordTable table, SnapshotReader snapshots, Syncs syncs, TimeProvider clock)
    : IDueLook
{
    private const string Row = "job-look";

    private static readonly TimeSpan Every = TimeSpan.FromDays(1);

    private static readonly ImmutableSortedDictionary<string, DateTimeOffset> NothingHeard = ImmutableSortedDictionary<string, DateTimeOffset>.Empty;

    /// <inheritdoc />
    public string Kind => DueKinds.JobLook;

    /// <inheritdoc />
    public async Task<DateTimeOffset?> LookAsync(DurableTaskClient client, UserId userId, Action<Notice> tell, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tell);
        var now = clock.GetUtcNow();
        var fetched = await FetchedAsync(userId, cancellation);
        if (fetched.Count == 0)
            return null;
        var kept = await FindAsync(userId, cancellation) is { } found ? found.Read<KeptLook>() : new KeptLook(null, null);
        var since = kept.LookedAt ?? now - Every;
        if (!fetched.Keys.All(id => kept.Heard?.GetValueOrDefault(id) > since))
        {
            var jobs = await basiq.ListJobsAsync(userId, cancellation).OrNullAsync() ?? [];
            foreach (var job in jobs.Where(job => job.ConnectionId is { } id && fetched.ContainsKey(id)).GroupBy(job => job.ConnectionId).Select(Latest))
            {
                // What the look before has seen is told again: who died before it was told has told nobody. Told twice it counts once.
                if (BasiqTime.Of(job.Updated) is { } at && at > since - Every)
                    await SeeAsync(client, userId, job, at, fetched[job.ConnectionId!], tell, cancellation);
            }
        }

        await NoteAsync(userId, before => new KeptLook(now, before.Heard?.RemoveRange(before.Heard.Where(heard => heard.Value <= now).Select(heard => heard.Key))), cancellation);

        // Tomorrow, whatever hour it is in the pass.
        return new DateTimeOffset((now + Every).UtcDateTime.Date, TimeSpan.Zero);
    }

    /// <summary>Notes that an event about a connection has arrived.</summary>
    internal Task HeardAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) =>
        NoteAsync(userId, before => before with { Heard = (before.Heard ?? NothingHeard).SetItem(connectionId, clock.GetUtcNow()) }, cancellation);

    private static Job Latest(IEnumerable<Job> jobs) => jobs.MaxBy(job => BasiqTime.Of(job.Updated))!;

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    /// <summary>Tells of a failure that the person can mend, and fetches what a success has brought.</summary>
    private async Task SeeAsync(
        DurableTaskClient client, UserId userId, Job job, DateTimeOffset at, DateTimeOffset? fetchedAt, Action<Notice> tell, CancellationToken cancellation)
    {
        var synced = SyncedJob.From(job);
        if (synced is { Status: JobState.Failed, NextAction: NextAction.Reconnect or NextAction.ActAtBank })
        {
            tell(new Notice(
                Notice.IdFor(at, new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"job-look/{job.Id}")).AsSpan(0, 16))),
                NoticeTypes.ConnectionAttention,
                at,
                new NoticeData(userId) { ConnectionId = job.ConnectionId, NextAction = synced.NextAction is NextAction.Reconnect ? "reconnect" : "act-at-bank" })
            {
                OnlyIfNews = true,
            });
        }
        else if (synced.Status is JobState.Success && !(at <= fetchedAt))
        {
            await syncs.FetchNewsAsync(client, userId, job.ConnectionId!, new GatheredNews(job.Id, clock.GetUtcNow(), IsFull: false), cancellation);
        }
    }

    private async Task NoteAsync(UserId userId, Func<KeptLook, KeptLook> change, CancellationToken cancellation)
    {
        while (true)
        {
            var found = await FindAsync(userId, cancellation);
            var noted = new TableRecord(PartitionOf(userId), Row, change(found?.Read<KeptLook>() ?? new KeptLook(null, null)).ToContent()) { ETag = found?.ETag };
            if ((found is null ? await table.TryAddAsync(noted, cancellation) : await table.TryReplaceAsync(noted, cancellation)) is not null)
                break;
        }

        // Nothing is noted of somebody whose data has gone. Looked up after the note was made: a removal that begins later takes it along.
        if ((await FetchedAsync(userId, cancellation)).Count == 0)
            await table.RemoveAsync(PartitionOf(userId), Row, cancellation);
    }

    private Task<TableRecord?> FindAsync(UserId userId, CancellationToken cancellation) => table.FindAsync(PartitionOf(userId), Row, cancellation);

    private async Task<IReadOnlyDictionary<ConnectionId, DateTimeOffset?>> FetchedAsync(UserId userId, CancellationToken cancellation)
    {
        try
        {
            return (await snapshots.ListAsOfAsync(userId, cancellation)).Connections;
        }
        catch (SnapshotCorruptException)
        {
            return new Dictionary<ConnectionId, DateTimeOffset?>();
        }
    }
}

/// <summary>What is kept of the daily looks at a user.</summary>
/// <param name="LookedAt">When the last one was.</param>
/// <param name="Heard">When an event of each connection last arrived, as far as one has since.</param>
internal sealed record KeptLook(
    [property: JsonPropertyName("lookedAt")] DateTimeOffset? LookedAt, [property: JsonPropertyName("heard")] ImmutableSortedDictionary<string, DateTimeOffset>? Heard);
