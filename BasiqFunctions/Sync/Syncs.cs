using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>Starts, finds and stops syncs, for the HTTP functions of every feature.</summary>
[SuppressMessage(
    "Performance", "CA1822", Justification = "Callers hold one Syncs; which of its methods need its fields may change.")]
public sealed class Syncs(IBasiqClient basiq, IOptions<SyncOptions> options, IEnumerable<IJobNews> news, JobOutlook outlook, TimeProvider time, ILogger<Syncs> logger)
{
    /// <summary>How long <see cref="StopAllAsync"/> waits at most.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    /// <summary>How long <see cref="StopAllAsync"/> waits between two looks at a sync.</summary>
    private static readonly TimeSpan StopPoll = TimeSpan.FromMilliseconds(100);

    private static readonly OrchestrationRuntimeStatus[] Unfinished = [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending];

    private static readonly OrchestrationRuntimeStatus[] Finished =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>
    /// Starts the sync of these jobs, or finds the one that was started before. One that ended without
    /// what Basiq has (<see cref="SyncAnswer.MayBeStartedAgain"/>) is run once more under its id, and looks at the jobs as they stand.
    /// </summary>
    /// <remarks>
    /// A start asks Basiq for the user's jobs. That proves that they are the user's and is the sync's first poll as well.
    /// </remarks>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="jobIds">The jobs, at least one, already validated as ids.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="isFull">Whether it fetches the whole history of each account.</param>
    /// <param name="isSecond">Whether it is a sync of its own, beside the first one of the jobs; run once more if it has ended.</param>
    /// <exception cref="UnknownJobsException">Some of the jobs do not exist, or are not this user's.</exception>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know the user.</exception>
    public Task<SyncAnswer> StartAsync(
        DurableTaskClient client, UserId userId, IReadOnlyList<JobId> jobIds, CancellationToken cancellation, bool isFull = false, bool isSecond = false) =>
        StartAsync(client, userId, jobIds, areOfUser: false, isFull, isSecond, cancellation);

    /// <summary>The same for jobs that Basiq itself has just given for the user: they may be in no list yet, and are followed by their ids.</summary>
    internal Task<SyncAnswer> FollowAsync(
        DurableTaskClient client, UserId userId, IReadOnlyList<JobId> jobIds, CancellationToken cancellation) =>
        StartAsync(client, userId, jobIds, areOfUser: true, isFull: false, isSecond: false, cancellation);

    /// <summary>
    /// Starts the sync of what Basiq has of these connections, without asking their banks again, or finds the one that is running. One that
    /// has ended is run once more: Basiq may have news.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="connectionIds">The connections, at least one, already validated as ids.</param>
    /// <param name="isFull">Whether it fetches the whole history of each account.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="UnknownConnectionsException">Some of the connections do not exist, or are not this user's.</exception>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know the user.</exception>
    internal async Task<SyncAnswer> StartFromAsync(
        DurableTaskClient client, UserId userId, IReadOnlyList<ConnectionId> connectionIds, bool isFull, CancellationToken cancellation)
    {
        var syncId = SyncIds.ForConnections(userId, connectionIds, isFull);
        var ended = await FindAsync(client, userId, syncId, cancellation);
        if (ended is { IsRunning: true })
            return ended;
        var listed = (await basiq.ListConnectionsAsync(userId, cancellation)).Where(connection => !connection.IsDeleted).Select(connection => connection.Id);
        ConnectionId[] ids = [.. connectionIds.Distinct()];
        if (ids.Except(listed).ToArray() is { Length: > 0 } unknown)
            throw new UnknownConnectionsException(unknown);
        return await ScheduleAsync(
            client, syncId, new SyncInput(userId, [], options.Value) { ConnectionIds = ids, IsFull = isFull }, ended, found => found.IsRunning, cancellation);
    }

    /// <summary>
    /// Starts the sync of what Basiq has of a connection since an event told of news, unless it was started before.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection.</param>
    /// <param name="news">The event that it is for, and until when it waits for more.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task FetchNewsAsync(
        DurableTaskClient client, UserId userId, ConnectionId connectionId, GatheredNews news, CancellationToken cancellation)
    {
        var syncId = SyncIds.ForNews(userId, connectionId, news.EventId);
        if (await FindAsync(client, userId, syncId, cancellation) is not null)
            return;
        var input = new SyncInput(userId, [], options.Value.WithPatience()) { ConnectionIds = [connectionId], IsFull = news.IsFull, GatherUntil = news.Until };
        await ScheduleAsync(client, syncId, input, ended: null, _ => true, cancellation);
    }

    private async Task<SyncAnswer> StartAsync(
        DurableTaskClient client,
        UserId userId,
        IReadOnlyList<JobId> jobIds,
        bool areOfUser,
        bool isFull,
        bool isSecond,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (isSecond && await FindAsync(client, userId, SyncIds.For(userId, jobIds), cancellation) is { IsRunning: true, IsFull: true } first)
            return first;
        var syncId = SyncIds.For(userId, jobIds, isFull: isSecond);
        var ended = await FindAsync(client, userId, syncId, cancellation);
        if (ended is not null && !MayStart(ended))
            return ended;

        var (jobs, unknown) = await FindJobsAsync(client, userId, [.. jobIds.Distinct()], areOfUser, cancellation);
        if (unknown.Count > 0)
        {
            // The jobs of a sync that has run are the user's, and what became of them cannot be told any better than it was.
            return ended ?? throw new UnknownJobsException(unknown);
        }

        var settings = options.Value;
        foreach (var source in news)
        {
            if (await source.AreExpectedAsync(cancellation))
                settings = options.Value.WithNews();
        }

        // Another caller's sync may have run to its end meanwhile, and hosts start a finished one anew.
        var started = await ScheduleAsync(
            client,
            syncId,
            new SyncInput(userId, jobs, settings) { IsFull = isFull },
            ended,
            found => !MayStart(found) || found.StartedAt != ended?.StartedAt,
            cancellation);
        return started with { IsStartedAgain = ended is not null && started.StartedAt != ended.StartedAt };

        // What was cancelled stays so for whoever names its jobs. A refresh wants what its job brings.
        bool MayStart(SyncAnswer found) => found.MayBeStartedAgain || (isSecond && !found.IsRunning) || (areOfUser && found.Status is SyncState.Cancelled);
    }

    /// <summary>Schedules a sync, unless there is one by now that will do.</summary>
    private async Task<SyncAnswer> ScheduleAsync(
        DurableTaskClient client, SyncId syncId, SyncInput input, SyncAnswer? ended, Func<SyncAnswer, bool> suffices, CancellationToken cancellation, bool isAgain = false)
    {
        if (await FindAsync(client, input.UserId, syncId, cancellation) is { } found && suffices(found))
            return found;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(SyncOrchestration.Name, input, new StartOrchestrationOptions(syncId), cancellation);
            Log.SyncStarted(logger, syncId, input.UserId, input.Jobs.Count, input.ConnectionIds?.Count ?? 0);
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether there is one decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            var concurrent = await FindAsync(client, input.UserId, syncId, cancellation);
            if (concurrent is not null && concurrent.StartedAt != ended?.StartedAt)
                return concurrent;
            if (concurrent is null or { IsRunning: true } || isAgain)
                throw;

            // All is done and the team's backend is being told. Not by the app's clock: this is how often to look, and not how long.
            using var patience = new CancellationTokenSource(StopPatience);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
            while (await client.GetInstanceAsync(syncId, getInputsAndOutputs: false, either.Token) is { IsCompleted: false })
                await Task.Delay(StopPoll / 10, either.Token);
            return await ScheduleAsync(client, syncId, input, ended, suffices, cancellation, isAgain: true);
        }

        return await FindAsync(client, input.UserId, syncId, cancellation) ?? Answer(syncId, input.UserId, input.Jobs);
    }

    /// <summary>Finds a sync of a user; null when there is none.</summary>
    public async Task<SyncAnswer?> FindAsync(
        DurableTaskClient client, UserId userId, SyncId syncId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (!syncId.Value.StartsWith(SyncIds.PrefixFor(userId), StringComparison.Ordinal))
            return null;
        var found = await client.GetInstanceAsync(syncId, getInputsAndOutputs: true, cancellation);
        return found is null ? null : Answer(found, userId);
    }

    /// <summary>Asks a sync to stop. One that has ended stays as it is.</summary>
    /// <returns>False when the user has no such sync.</returns>
    public async Task<bool> CancelAsync(
        DurableTaskClient client, UserId userId, SyncId syncId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (await FindAsync(client, userId, syncId, cancellation) is not { } sync)
            return false;
        if (sync.IsRunning)
            await TellAsync(client, syncId, SyncOrchestration.CancelEvent, "cancelled", cancellation);
        return true;
    }

    /// <summary>Has a sync that waits for its jobs look at them now.</summary>
    public Task WakeAsync(DurableTaskClient client, SyncId syncId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        return TellAsync(client, syncId, SyncOrchestration.JobChangedEvent, null, cancellation);
    }

    /// <summary>
    /// Stops all syncs of a user and waits, for a bounded time, until none writes any more. A sync that takes longer still
    /// removes what it staged when it stops.
    /// </summary>
    /// <returns>How many were told to stop.</returns>
    public async Task<int> StopAllAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        List<SyncId> stopping = [];
        await foreach (var sync in SyncsOf(client, userId, Unfinished).WithCancellation(cancellation))
        {
            stopping.Add(new(sync.InstanceId));
            await TellAsync(client, stopping[^1], SyncOrchestration.CancelEvent, "stopped", cancellation);
        }

        using var patience = new CancellationTokenSource(StopPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            await Task.WhenAll(stopping.Select(id => WaitForEndAsync(client, id, either.Token)));
        }
        catch (Exception) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            Log.SyncStillStopping(logger, userId);
        }

        return stopping.Count;
    }

    /// <summary>Forgets the histories of a user's syncs that started up to a moment; false while one of them is still running.</summary>
    internal async Task<bool> ForgetAllAsync(DurableTaskClient client, UserId userId, DateTimeOffset startedBy, CancellationToken cancellation)
    {
        var isAnyLeft = false;
        await foreach (var sync in SyncsOf(client, userId, null).WithCancellation(cancellation))
        {
            if (sync.CreatedAt > startedBy)
                continue;
            if (sync.IsCompleted)
                await client.PurgeInstanceAsync(sync.InstanceId, options: null, cancellation);
            else
                isAnyLeft = true;
        }

        return !isAnyLeft;
    }

    /// <summary>Has a user's syncs that wait for a bank look at their jobs now.</summary>
    /// <returns>How many syncs of the user are running.</returns>
    public async Task<int> WakeAllAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        var running = 0;
        await foreach (var sync in SyncsOf(client, userId, Unfinished).WithCancellation(cancellation))
        {
            await WakeAsync(client, new(sync.InstanceId), cancellation);
            running++;
        }

        return running;
    }

    /// <summary>Has a user's syncs that wait for a bank look at their jobs now, for news of one connection.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection.</param>
    /// <param name="happenedAt">When it happened.</param>
    /// <param name="isFull">Whether it takes the whole history to have the news.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Whether one of these syncs brings the news: it fetches the connection, and begins to after it happened.</returns>
    /// <exception cref="BasiqException">Basiq could not be asked about the jobs.</exception>
    internal async Task<bool> WakeForAsync(
        DurableTaskClient client, UserId userId, ConnectionId connectionId, DateTimeOffset happenedAt, bool isFull, CancellationToken cancellation)
    {
        List<SyncedJob> awaited = [];
        List<SyncedJob> fetched = [];
        await foreach (var sync in SyncsOf(client, userId, Unfinished).WithCancellation(cancellation))
        {
            // Looked at before it is told: what waits now fetches later.
            var found = await FindAsync(client, userId, new(sync.InstanceId), cancellation);
            var jobs = found?.Jobs.Where(job =>
                (found.IsFull || !isFull)
                && job.Status is not (JobState.Failed or JobState.TimedOut) && (job.ConnectionId ?? connectionId) == connectionId) ?? [];
            if (found?.Status is SyncState.WaitingForBank)
                awaited.AddRange(jobs);
            else if (found?.Status is SyncState.Fetching)
                fetched.AddRange(jobs);
            if (found is not { Jobs.Count: 0 })
                await WakeAsync(client, new(sync.InstanceId), cancellation);
        }

        if (awaited.Any(job => job.ConnectionId is not null))
            return true;
        if (awaited.Count == 0 && fetched.Count == 0)
            return false;

        // A sync knows its jobs as of its last poll, minutes ago perhaps, and leaves their connections out when they are many: a job
        // without one may be this connection's, and Basiq says whether it is. When Basiq cannot say so either, the job has not been let
        // in by its bank, so that the news is another's; to take the news for the job's would lose it, while a refresh too many is one
        // in a while. A sync that fetches began to when its jobs had ended: that is after whatever happened until then.
        var listed = (await basiq.ListJobsAsync(userId, cancellation)).Where(job => job.ConnectionId == connectionId);
        return listed.Any(job => awaited.Exists(known => known.JobId == job.Id)
            || (BasiqTime.Of(job.Updated) >= happenedAt && fetched.Exists(known => known.JobId == job.Id)));
    }

    /// <summary>
    /// Whether a sync followed a job of a connection that Basiq last changed at a moment or later: what the job brought, the sync fetched.
    /// Basiq runs one job of a connection at a time.
    /// </summary>
    /// <exception cref="BasiqException">Basiq could not be asked about the jobs.</exception>
    internal async Task<bool> HadJobOfAsync(
        DurableTaskClient client, UserId userId, SyncId syncId, ConnectionId connectionId, DateTimeOffset since, CancellationToken cancellation) =>
        await FindAsync(client, userId, syncId, cancellation) is { Jobs: { Count: > 0 } followed }
        && (await basiq.ListJobsAsync(userId, cancellation)).Where(job => job.ConnectionId == connectionId && BasiqTime.Of(job.Updated) >= since).ToArray() is { Length: > 0 } changed
        && changed.All(job => followed.Any(known => known.JobId == job.Id && known.Status is JobState.Success));

    /// <summary>Whether anything is known of syncs of a user, running or not.</summary>
    public Task<bool> AnyAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation) =>
        AnyAsync(client, userId, null, DateTimeOffset.MinValue, cancellation);

    /// <summary>Whether a sync of a user is running that started after a moment.</summary>
    internal Task<bool> AnyRunningSinceAsync(DurableTaskClient client, UserId userId, DateTimeOffset since, CancellationToken cancellation) =>
        AnyAsync(client, userId, Unfinished, since, cancellation);

    /// <summary>Raises an event for a sync. One that has ended meanwhile needs none.</summary>
    private static async Task TellAsync(
        DurableTaskClient client, SyncId syncId, string eventName, string? payload, CancellationToken cancellation)
    {
        try
        {
            await client.RaiseEventAsync(syncId, eventName, payload, cancellation);
        }
#pragma warning disable CA1031 // Hosts say 'it has ended' with exceptions of their own: whether it runs decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (await client.GetInstanceAsync(syncId, getInputsAndOutputs: false, cancellation) is { IsCompleted: false })
                throw;
        }
    }

    /// <summary>Waits until a sync has ended, or another deletion of its user has forgotten it.</summary>
    /// <remarks>The Functions host's own wait looks every two seconds; a sync that is told to stop takes a tenth of one.</remarks>
    private async Task WaitForEndAsync(DurableTaskClient client, SyncId syncId, CancellationToken cancellation)
    {
        while (await client.GetInstanceAsync(syncId, getInputsAndOutputs: false, cancellation) is { IsCompleted: false })
            await Task.Delay(StopPoll, time, cancellation);
    }

    private static async Task<bool> AnyAsync(
        DurableTaskClient client, UserId userId, OrchestrationRuntimeStatus[]? statuses, DateTimeOffset since, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        await foreach (var sync in SyncsOf(client, userId, statuses).WithCancellation(cancellation))
        {
            if (sync.CreatedAt > since)
                return true;
        }

        return false;
    }

    private static AsyncPageable<OrchestrationMetadata> SyncsOf(
        DurableTaskClient client, UserId userId, OrchestrationRuntimeStatus[]? statuses) =>
        client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: statuses, InstanceIdPrefix: SyncIds.PrefixFor(userId)));

    private SyncAnswer Answer(OrchestrationMetadata found, UserId userId)
    {
        var progress = found.SerializedCustomStatus is { } json
            ? JsonSerializer.Deserialize(json, AppJson.Of<SyncProgress>())
            : null;
        var started = found.SerializedInput is { } input ? JsonSerializer.Deserialize(input, AppJson.Of<SyncInput>()) : null;
        progress ??= new SyncProgress(SyncState.WaitingForBank, started?.Jobs ?? [], new AccountProgress(0, 0), 0);
        if (found.RuntimeStatus is OrchestrationRuntimeStatus.Failed)
        {
            progress = progress with
            {
                Status = SyncState.Failed,
                Error = new SyncError("internal-error", "The sync ended unexpectedly; the log of the app says why."),
            };
        }
        else if (found.RuntimeStatus is OrchestrationRuntimeStatus.Terminated)
        {
            progress = progress with { Status = SyncState.Cancelled };
        }

        return new SyncAnswer(
            new(found.InstanceId), userId, progress.Status, found.CreatedAt, progress.EndedAt ?? found.LastUpdatedAt, progress.Jobs, progress.Accounts,
            progress.Transactions, progress.Error, progress.TransactionsSkipped)
        {
            IsFull = started?.IsFull is true,
            ExpectedEndsAt = ExpectedEndOf(progress.Status, progress.Jobs),
        };
    }

    private SyncAnswer Answer(SyncId syncId, UserId userId, IReadOnlyList<SyncedJob> jobs)
    {
        var now = time.GetUtcNow();
        return new SyncAnswer(
            syncId, userId, SyncState.WaitingForBank, now, now, jobs, new AccountProgress(0, 0), 0, null)
        {
            ExpectedEndsAt = ExpectedEndOf(SyncState.WaitingForBank, jobs),
        };
    }

    /// <summary>When the banks will be done: nobody knows once that has passed, or while one of the jobs has no estimate.</summary>
    private DateTimeOffset? ExpectedEndOf(SyncState state, IReadOnlyList<SyncedJob> jobs)
    {
        DateTimeOffset?[] ends = [.. jobs.Where(job => !job.IsSettled).Select(job => job.ExpectedEndsAt)];
        return state is SyncState.WaitingForBank && ends.Length > 0 && !ends.Contains(null) && ends.Max() is { } end && end > time.GetUtcNow() ? end : null;
    }

    /// <summary>
    /// Finds the jobs in the user's list. One that is not there, since it is older than the list goes back, is asked for by its
    /// id, and counts only when it names this user.
    /// </summary>
    private async Task<(IReadOnlyList<SyncedJob> Jobs, IReadOnlyList<JobId> Unknown)> FindJobsAsync(
        DurableTaskClient client, UserId userId, IReadOnlyList<JobId> jobIds, bool areOfUser, CancellationToken cancellation)
    {
        var listed = (await basiq.ListJobsAsync(userId, cancellation)).ToLookup(j => j.Id);
        List<SyncedJob> jobs = [];
        List<JobId> unknown = [];
        foreach (var jobId in jobIds)
        {
            if ((listed[jobId].FirstOrDefault() ?? await FindJobAsync(userId, jobId, cancellation)) is { } job)
                jobs.Add(await outlook.OfAsync(client, userId, job, cancellation));
            else if (areOfUser)
                jobs.Add(SyncedJob.Unseen(jobId));
            else
                unknown.Add(jobId);
        }

        return (jobs, unknown);
    }

    private async Task<Job?> FindJobAsync(UserId userId, JobId jobId, CancellationToken cancellation) =>
        await basiq.GetJobAsync(jobId, cancellation).OrNullAsync() is { } job && job.UserId == userId ? job : null;
}
