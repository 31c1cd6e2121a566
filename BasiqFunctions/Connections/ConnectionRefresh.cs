using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections.Outages;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections;

/// <summary>Has Basiq fetch anew from the banks where that is worth a visit and the day's budget has one, and follows the jobs that do it.</summary>
public sealed class ConnectionRefresh(
    IBasiqClient basiq,
    Syncs syncs,
    VisitBudget budget,
    BankOutlook outlook,
    ConnectionStates states,
    SnapshotReader snapshots,
    IOptions<ConnectionOptions> options,
    Instruments instruments,
    TimeProvider clock)
{
    /// <summary>
    /// Looks at each connection first: one whose job is running is followed, one that Basiq has visited a moment ago is fresh, and what
    /// it has and this app has not is fetched without a visit. The others are visited, as far as their budget goes. Null when there is nothing to refresh.
    /// </summary>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know the user or the connection.</exception>
    internal async Task<RefreshOutcome?> StartAsync(DurableTaskClient client, UserId userId, RefreshRequest asked, CancellationToken cancellation)
    {
        Connection[] connections = asked.ConnectionId is { } connectionId
            ? [await basiq.GetConnectionAsync(userId, new(connectionId), cancellation)]
            : [.. await basiq.ListConnectionsAsync(userId, cancellation)];
        connections = [.. connections.Where(ConnectionCare.HasBank)];
        if (connections.Length == 0)
            return null;
        var jobs = (await basiq.ListJobsAsync(userId, cancellation)).ToLookup(job => job.ConnectionId);
        var fetched = await FetchedAsync(userId, cancellation);
        var looks = await Task.WhenAll(connections.Select(connection => LookAsync(client, userId, connection, asked, [.. jobs[connection.Id]], fetched, cancellation)));

        JobId[] followed = [.. looks.Select(look => look.JobId).OfType<JobId>()];
        ConnectionId[] unfetched = [.. looks.Where(look => look.IsUnfetched).Select(look => look.ConnectionId)];
        var news = unfetched.Length > 0 ? await syncs.StartFromAsync(client, userId, unfetched, isFull: false, cancellation) : null;
        if (followed.Length > 0)
        {
            await states.ForgetAsync(userId, cancellation);
            return new RefreshOutcome { Sync = await syncs.FollowAsync(client, userId, followed, cancellation) };
        }

        if (news is not null)
            return new RefreshOutcome { Sync = news };
        if (looks.Select(look => look.Failure).OfType<BasiqException>().FirstOrDefault() is { } failure)
            throw failure;
        ConnectionAttention[] attention = [.. looks.Select(look => look.Attention).OfType<ConnectionAttention>()];
        if (looks.Min(look => look.FreshAsOf) is { } asOf)
            return new RefreshOutcome { Spared = new RefreshSpared("fresh", asOf, attention.Length > 0 ? attention : null) };
        return looks.Min(look => look.SpentUntil) is { } until
            ? new RefreshOutcome { SpentUntil = until }
            : new RefreshOutcome { Spared = new RefreshSpared("needs-attention", null, attention) };
    }

    private async Task<Look> LookAsync(
        DurableTaskClient client, UserId userId, Connection connection, RefreshRequest asked, IReadOnlyList<Job> jobs, IReadOnlyDictionary<ConnectionId, DateTimeOffset?> fetched, CancellationToken cancellation)
    {
        var (look, now) = (new Look(connection.Id), clock.GetUtcNow());

        // What a list says of a job may be odd, and then nobody could follow it.
        if (jobs.FirstOrDefault(job => job.Outcome is JobOutcome.Pending or JobOutcome.InProgress) is { } listed
            && await basiq.GetJobAsync(listed.Id, cancellation).OrNullAsync() is { Outcome: JobOutcome.Pending or JobOutcome.InProgress } running)
            return look with { JobId = running.Id };
        var last = jobs.MaxBy(job => BasiqTime.Of(job.Updated));
        var hasFailed = last is { Outcome: JobOutcome.Failed };

        // A refresh heals what is invalid for another reason than its credentials: once the person has done at the bank what it asked for.
        var mayHeal = hasFailed && !connection.IsDeleted && SyncedJob.From(last!).NextAction is NextAction.ActAtBank or NextAction.RetryLater;
        if (ConnectionCare.ActionFor(connection) is { } action && !(mayHeal && action is NextAction.Reconnect))
        {
            if (action is NextAction.RetryLater && await outlook.FindOutageAsync(client, userId, connection, cancellation) is not null)
                action = NextAction.WaitForBank;
            return look with { Attention = new ConnectionAttention(connection.Id, action, now) { ContinueWith = ConnectionCare.LinkFor(connection, action) } };
        }

        // What failed a moment ago has brought nothing, however recent it is.
        if (asked.Force is not true && !hasFailed && BasiqTime.Of(connection.LastUsed) is { } usedAt && usedAt > now - options.Value.FreshFor)
            return fetched.TryGetValue(connection.Id, out var asOf) && asOf >= usedAt ? look with { FreshAsOf = asOf } : look with { IsUnfetched = true };
        if (await outlook.FindOutageAsync(client, userId, connection, cancellation) is not null)
            return look with { Attention = new ConnectionAttention(connection.Id, NextAction.WaitForBank, now) };
        return ConnectionCare.IsOpenBanking(connection)
            ? await VisitAsync(userId, look, asked.Attended is not false, jobs, cancellation)
            : await AskAsync(userId, look, cancellation);
    }

    /// <summary>Has the bank be visited within the day's budget.</summary>
    private async Task<Look> VisitAsync(UserId userId, Look look, bool isAttended, IReadOnlyList<Job> known, CancellationToken cancellation)
    {
        var visit = await budget.TakeAsync(userId, look.ConnectionId, isAttended, cancellation);
        if (visit.Id is null)
        {
            instruments.BankVisited("spent");
            return look with { SpentUntil = visit.NextDayAt };
        }

        var asked = await AskAsync(userId, look, cancellation);
        if (asked.JobId is { } jobId)
        {
            // A job that was listed is nobody's visit of now.
            await (known.Any(job => job.Id == jobId) ? budget.ReturnAsync(visit, isRefused: false, CancellationToken.None) : budget.SettleAsync(visit, jobId, CancellationToken.None));
            return asked;
        }

        var failure = asked.Failure!.Failure;
        if (!MayHaveVisited(failure))
            await budget.ReturnAsync(visit, isRefused: !failure.IsRefusedHere, CancellationToken.None);
        return asked;
    }

    private async Task<Look> AskAsync(UserId userId, Look look, CancellationToken cancellation)
    {
        try
        {
            if (await basiq.RefreshConnectionAsync(userId, look.ConnectionId, cancellation) is not [var jobId, ..])
                throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "no-job"));
            instruments.BankVisited("made");
            return look with { JobId = jobId };
        }
        catch (BasiqException exception)
        {
            instruments.BankVisited(exception.Failure.IsRefusedHere ? "unsent" : MayHaveVisited(exception.Failure) ? "unsure" : "refused");
            return look with { Failure = exception };
        }
    }

    /// <summary>Whether a bank may have been visited although Basiq's answer was a failure.</summary>
    private static bool MayHaveVisited(BasiqFailure failure) =>
        !failure.IsRefusedHere && failure is { Kind: BasiqFailureKind.Timeout or BasiqFailureKind.UnusableAnswer or BasiqFailureKind.Unavailable or BasiqFailureKind.Other };

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

    /// <summary>What was seen of a connection, and done about it: one of these is set.</summary>
    private sealed record Look(ConnectionId ConnectionId)
    {
        /// <summary>The job that visits the bank.</summary>
        public JobId? JobId { get; init; }

        /// <summary>Whether Basiq has what this app has not.</summary>
        public bool IsUnfetched { get; init; }

        /// <summary>From when the data are that are fresh.</summary>
        public DateTimeOffset? FreshAsOf { get; init; }

        /// <summary>When there are visits again.</summary>
        public DateTimeOffset? SpentUntil { get; init; }

        /// <summary>What has to be done before it can be refreshed.</summary>
        public ConnectionAttention? Attention { get; init; }

        /// <summary>Why Basiq did not do it.</summary>
        public BasiqException? Failure { get; init; }
    }
}
