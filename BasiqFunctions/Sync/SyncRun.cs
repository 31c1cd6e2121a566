using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using Microsoft.DurableTask;

namespace BasiqFunctions.Sync;

/// <summary>
/// One run of a sync, from the first poll to the published snapshot. Orchestrator code: it must ask for the same things in the
/// same order on every replay, so everything it decides by comes from its input, its activities and its context.
/// </summary>
internal sealed class SyncRun
{
    /// <summary>
    /// For what breaks on our side, such as storage that is out of reach. What Basiq refuses comes back as a value and has its
    /// own back-off.
    /// </summary>
    private static readonly TaskOptions RetryFaults = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 6,
        firstRetryInterval: TimeSpan.FromSeconds(2),
        backoffCoefficient: 3,
        maxRetryInterval: TimeSpan.FromMinutes(5)));

    /// <summary>How often in a row Basiq must not know a job before it counts as lost.</summary>
    private const int MissesOfLostJob = 3;

    /// <summary>The least time between two of them.</summary>
    private static readonly TimeSpan BetweenMisses = TimeSpan.FromSeconds(10);

    private readonly TaskOrchestrationContext _context;
    private readonly SyncInput _input;
    private readonly DateTime _startedAt;
    private readonly Task<string> _cancelled;
    private readonly List<Task> _running = [];
    private readonly Dictionary<JobId, (int Times, DateTime LastAt)> _missing = [];
    private readonly Dictionary<AccountId, IReadOnlyList<string>> _segments = [];
    private readonly Dictionary<AccountId, FetchedSpan> _spans = [];
    private readonly Dictionary<AccountId, int> _counts = [];
    private readonly Dictionary<AccountId, int> _skipped = [];
    private FetchedPending? _pending;
    private Task<string?>? _jobChanged;
    private TimeSpan _askedToWait;
    private DateTime? _withoutTokenSince;
    private TaskCompletionSource<bool>? _tokenTrial;
    private SyncProgress _progress;

    public SyncRun(TaskOrchestrationContext context, SyncInput input)
    {
        _context = context;
        _input = input;
        _startedAt = context.CurrentUtcDateTime;
        _cancelled = context.WaitForExternalEvent<string>(SyncOrchestration.CancelEvent);
        _progress = new SyncProgress(SyncState.WaitingForBank, input.Jobs, new AccountProgress(0, 0), 0);
    }

    /// <summary>What came of the publication; null when there was none.</summary>
    public PublishResult? News { get; private set; }

    private SyncOptions Settings => _input.Settings;

    /// <summary>What the snapshot store knows this run by.</summary>
    private RunId RunId => SnapshotRun.For(new(_context.InstanceId), _startedAt);

    public async Task<SyncProgress> RunAsync()
    {
        Report(_progress);
        try
        {
            if (_input.ConnectionIds is null)
                await WaitForJobsAsync();
            else if (_input.GatherUntil is { } until && until > _context.CurrentUtcDateTime)
                await WaitAsync(until - _context.CurrentUtcDateTime);
            await FetchAsync();
        }
        catch (SyncStoppedException stopped)
        {
            await SettleAsync();
            if (_progress.Status is SyncState.Fetching)
            {
                await _context.CallActivityAsync(
                    nameof(SyncActivities.DiscardSync), new DiscardInput(_input.UserId, RunId), RetryFaults);
            }

            Report(_progress with { Status = stopped.State, Error = stopped.Error });
        }

        return _progress;
    }

    /// <summary>
    /// Polls until every job is settled or out of time. A poll that fails is no news: the next one may tell. The time of the jobs stands
    /// still while no token can be had to ask for them.
    /// </summary>
    private async Task WaitForJobsAsync()
    {
        var deadline = _startedAt + Settings.JobTimeout;
        var delay = Settings.FirstPollDelay;
        while (_progress.Jobs.Any(j => !j.IsSettled))
        {
            var left = deadline - _context.CurrentUtcDateTime;
            if (left <= TimeSpan.Zero)
            {
                Report(_progress with { Jobs = [.. _progress.Jobs.Select(j => j.IsSettled ? j : j.TimedOut())] });
                return;
            }

            var begun = _context.CurrentUtcDateTime;
            var hadToken = _withoutTokenSince is null;
            await WaitForChangeAsync(hadToken ? Min(Max(delay, _askedToWait), left) : Max(delay, _askedToWait));
            await PollAsync();
            var hasToken = _withoutTokenSince is null;
            delay = hasToken ? Min(delay * Settings.PollDelayGrowth, Settings.MaxPollDelay) : Min(delay * 2, Settings.MaxTokenDelay);
            if (!hadToken || !hasToken)
                deadline += _context.CurrentUtcDateTime - begun;
        }
    }

    private async Task PollAsync()
    {
        _askedToWait = TimeSpan.Zero;
        var polls = _progress.Jobs.Select(job => job.IsSettled ? Task.FromResult(job) : ObserveAsync(job));
        Report(_progress with { Jobs = await OrStopAsync(Task.WhenAll(polls)) });
    }

    private async Task<SyncedJob> ObserveAsync(SyncedJob job)
    {
        var outcome = await CallAsync<Outcome<SyncedJob>>(
            nameof(SyncActivities.ObserveJob), new ObserveJobInput(_input.UserId, job.JobId));
        if (!MayWaitForToken(outcome.Failure) && outcome.Failure is { IsOfToken: true } failure)
            throw Failed(failure);
        if (outcome.Failure is { IsNotFound: true })
            return HasGone(job.JobId) ? SyncedJob.Lost(job.JobId, SyncedJob.NotFoundCode) : job;
        if (outcome.Value is not null)
            _missing.Remove(job.JobId);
        _askedToWait = Max(_askedToWait, AskedBy(outcome.Failure));
        return outcome.Value is { IsSettled: false } running ? running with { ExpectedEndsAt = job.ExpectedEndsAt } : outcome.Value ?? job;
    }

    /// <summary>
    /// Counts that Basiq does not know a job. Once may be a replica that is behind: it takes several times in a row, some time apart.
    /// </summary>
    private bool HasGone(JobId jobId)
    {
        var now = _context.CurrentUtcDateTime;
        var missing = _missing.GetValueOrDefault(jobId);
        if (missing.Times == 0 || now - missing.LastAt >= BetweenMisses)
            _missing[jobId] = missing = (missing.Times + 1, now);
        return missing.Times >= MissesOfLostJob;
    }

    private async Task WaitForChangeAsync(TimeSpan delay)
    {
        // However many events came during a poll, one more poll sees all that they were about.
        var hasChanged = false;
        while ((_jobChanged ??= _context.WaitForExternalEvent<string?>(SyncOrchestration.JobChangedEvent)).IsCompleted)
        {
            hasChanged = true;
            _jobChanged = null;
        }

        ThrowIfCancelled();
        if (hasChanged && _askedToWait == TimeSpan.Zero)
            return;

        using var wait = new CancellationTokenSource();
        var timer = _context.CreateTimer(_context.CurrentUtcDateTime + delay, wait.Token);
        await Task.WhenAny(timer, _jobChanged, _cancelled);
        if (_jobChanged.IsCompleted)
            _jobChanged = null;
        wait.Cancel();
        ThrowIfCancelled();
    }

    private async Task FetchAsync()
    {
        SyncedJob[] succeeded = [.. _progress.Jobs.Where(j => j.Status is JobState.Success)];
        if (_input.ConnectionIds is null && succeeded.Length == 0)
            throw Failed("no-job-succeeded", "No bank could be read: see the jobs.");

        Report(_progress with { Status = SyncState.Fetching });

        // A job that does not name its connection vouches for all that the user has.
        var connections = _input.ConnectionIds
            ?? (succeeded.All(j => j.ConnectionId is not null) ? [.. succeeded.Select(j => j.ConnectionId!).Distinct()] : null);
        var asOf = _context.CurrentUtcDateTime;
        var (staged, failure) = await CallWithBackOffAsync<StagedAccounts>(
            nameof(SyncActivities.StageAccounts),
            new StageAccountsInput(_input.UserId, RunId, connections, new FetchRules(Settings.Overlap, Settings.FullEvery, _input.IsFull)));
        if (staged is null)
            throw Failed(failure!);

        var skipped = staged.Skipped.Count > 0 ? staged.Skipped : null;
        Report(_progress with { Accounts = new AccountProgress(staged.Accounts.Count, 0, skipped) });
        await FetchPendingAsync(staged.Accounts);
        var firstFailure = await FetchAccountsAsync(staged.Accounts);
        while (await PublishAsync(staged, asOf) is { Outcome: PublishOutcome.Outdated } outdated)
        {
            foreach (var accountId in outdated.Outdated)
            {
                _segments.Remove(accountId);
                _spans.Remove(accountId);
                Uncount(accountId);
            }

            var again = await FetchAccountsAsync([.. outdated.Outdated.Select(id => new AccountFetch(id))]);
            firstFailure ??= again;
        }

        Report(_progress with
        {
            Status = firstFailure is null && skipped is null && _progress.TransactionsSkipped is null && succeeded.Length == _progress.Jobs.Count
                ? SyncState.Completed
                : SyncState.Partial,
            Error = firstFailure is not null ? ErrorFor(firstFailure)
                : skipped is not null ? ErrorFor(skipped)
                : _progress.TransactionsSkipped is { } transactions ? new SyncError(
                    SyncError.TransactionsSkipped,
                    FormattableString.Invariant($"{transactions} transactions that Basiq sent have no id and were skipped; the others were fetched."))
                : null,
        });
    }

    /// <summary>Fetches what is pending of the accounts that are not fetched whole. Where it cannot be had so, they are.</summary>
    private async Task FetchPendingAsync(IReadOnlyList<AccountFetch> accounts)
    {
        AccountId[] inPart = [.. accounts.Where(account => account.Kept is not null).Select(account => account.AccountId)];
        if (inPart.Length == 0)
            return;
        (_pending, var failure) = await CallWithBackOffAsync<FetchedPending>(
            nameof(SyncActivities.FetchPending), new FetchPendingInput(_input.UserId, RunId, inPart, Settings.PageSize));

        // Whole histories would be the least that a Basiq in trouble needs.
        if (failure is { MayPass: true })
            throw Failed(failure);
        if (_pending is { Skipped: > 0 } pending)
            Report(_progress with { TransactionsSkipped = (_progress.TransactionsSkipped ?? 0) + pending.Skipped });
    }

    /// <summary>Fetches the accounts, some at a time.</summary>
    /// <returns>The first failure of those that were not fetched to their end.</returns>
    private async Task<UpstreamFailure?> FetchAccountsAsync(IReadOnlyList<AccountFetch> accounts)
    {
        var waiting = new Queue<AccountFetch>(accounts);
        UpstreamFailure? firstFailure = null;
        var lanes = Enumerable.Range(0, Math.Min(Settings.MaxParallelAccounts, waiting.Count)).Select(_ => FetchLaneAsync());
        await OrStopAsync(Task.WhenAll(lanes));
        return firstFailure;

        async Task<int> FetchLaneAsync()
        {
            var fetched = 0;
            while (waiting.TryDequeue(out var account))
            {
                var failure = await FetchAccountAsync(account);
                firstFailure ??= failure;
                if (failure is null)
                {
                    fetched++;
                    Report(_progress with { Accounts = _progress.Accounts with { Fetched = Math.Min(_progress.Accounts.Fetched + 1, _progress.Accounts.Total) } });
                }
            }

            return fetched;
        }
    }

    /// <summary>Fetches an account, in part where that is enough.</summary>
    private async Task<UpstreamFailure?> FetchAccountAsync(AccountFetch account)
    {
        if (account.Kept is { } kept && _pending is not null)
        {
            var (isFetched, failed) = await FetchPartAsync(account.AccountId, kept);
            if (isFetched || failed is { MayPass: true })
                return failed;
        }

        List<FetchedSegment> segments = [];
        if (await FetchSegmentsAsync(account.AccountId, segments, kept: null, isOlder: false) is { } failure)
            return failure;
        _segments[account.AccountId] = [.. segments.Select(segment => segment.Attempt)];
        return null;
    }

    /// <summary>Fetches what is new of an account.</summary>
    /// <returns>Whether that was enough: the whole must be fetched when what is known is not what there was, or when Basiq refuses to tell it so.</returns>
    private async Task<(bool IsFetched, UpstreamFailure? Failure)> FetchPartAsync(AccountId accountId, KeptSpan kept)
    {
        List<FetchedSegment> segments = [];
        var failure = await FetchSegmentsAsync(accountId, segments, kept, isOlder: false);
        var newer = segments.Count;
        var isAsKnown = segments.Sum(segment => segment.Matched) == segments.FirstOrDefault()?.Known;
        if (failure is null && isAsKnown && kept.OlderFrom is not null)
            failure = await FetchSegmentsAsync(accountId, segments, kept, isOlder: true);
        if (failure is not null || !isAsKnown || segments.Exists(segment => segment.MustBeWhole))
        {
            Uncount(accountId);
            return (false, failure);
        }

        var pending = _pending!.Segments.GetValueOrDefault(accountId);
        Count(accountId, pending?.Count ?? 0);
        var isUnchanged = pending is null && segments is [{ IsInOrder: true } only] && only.Count == only.Known;
        _segments[accountId] = [.. segments.Select(segment => segment.Attempt)];
        _spans[accountId] = new FetchedSpan(kept, newer, pending?.Attempt, isUnchanged);
        return (true, null);
    }

    /// <summary>Fetches an account's transactions, or a part of them, segment by segment, to their end.</summary>
    private async Task<UpstreamFailure?> FetchSegmentsAsync(AccountId accountId, List<FetchedSegment> segments, KeptSpan? kept, bool isOlder)
    {
        string? link = null, before = null;
        while (true)
        {
            var input = new FetchTransactionsInput(
                _input.UserId, RunId, accountId, segments.Count, before, link, Settings.PagesPerActivity, Settings.PageSize, kept, isOlder);
            var (fetched, failure) = await CallWithBackOffAsync<FetchedSegment>(nameof(SyncActivities.FetchTransactions), input);
            if (fetched is null)
                return failure;
            segments.Add(fetched);
            before = fetched.Attempt;
            Count(accountId, fetched.Count);
            Skip(accountId, fetched.Skipped);
            if (failure is { MayPass: false })
                return failure;
            if (fetched.NextLink is null || fetched.MustBeWhole)
                return null;
            link = fetched.NextLink;
            if (failure is not null)
                await WaitAsync(Max(Settings.RetryDelay, AskedBy(failure)));
        }
    }

    /// <summary>Counts transactions of an account: what is fetched once more replaces what was counted before.</summary>
    private void Count(AccountId accountId, int transactions)
    {
        _counts[accountId] = _counts.GetValueOrDefault(accountId) + transactions;
        Report(_progress with { Transactions = _progress.Transactions + transactions });
    }

    /// <summary>The same of those that could not be read.</summary>
    private void Skip(AccountId accountId, int transactions)
    {
        if (transactions == 0)
            return;
        _skipped[accountId] = _skipped.GetValueOrDefault(accountId) + transactions;
        var all = (_progress.TransactionsSkipped ?? 0) + transactions;
        Report(_progress with { TransactionsSkipped = all == 0 ? null : all });
    }

    /// <summary>Takes back what was counted of an account that is fetched once more.</summary>
    private void Uncount(AccountId accountId)
    {
        Count(accountId, -_counts.GetValueOrDefault(accountId));
        Skip(accountId, -_skipped.GetValueOrDefault(accountId));
    }

    /// <summary>Publishes. From here on an order to stop comes too late: readers may already see the new snapshot.</summary>
    private async Task<PublishResult> PublishAsync(StagedAccounts staged, DateTime asOf)
    {
        var input = new PublishInput(_input.UserId, RunId, _startedAt, asOf, staged.ConnectionIds, _segments, _spans, staged.Listing);
        var (published, failure) = await CallWithBackOffAsync<PublishResult>(
            nameof(SyncActivities.PublishSnapshot), input, canBeStopped: false);
        return News = published ?? throw Failed(failure!);
    }

    /// <summary>
    /// Calls an activity that may fail for the moment, as often as the settings allow, and never sooner than Basiq asks for. What was not
    /// asked because no token was available does not count as an attempt.
    /// </summary>
    private async Task<(T? Value, UpstreamFailure? Failure)> CallWithBackOffAsync<T>(
        string activity, object input, bool canBeStopped = true)
        where T : class
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await CallWithTokenAsync<T>(activity, input, canBeStopped);
            if (outcome.Value is not null)
                return (outcome.Value, outcome.Failure);

            var failure = outcome.Failure!;
            if (failure.Kind is UpstreamFailure.DiscardedKind)
                throw new SyncStoppedException(SyncState.Cancelled, null);
            if (failure.IsOfToken || !failure.MayPass || attempt == Settings.MaxAttempts)
                return (null, failure);

            await WaitAsync(Max(BackOff(attempt), AskedBy(failure)));
        }
    }

    /// <summary>
    /// Calls an activity, and again while no token can be had for it, as long as the settings allow. Of several calls without a token one
    /// tries and the others wait for it, so that the history of days stays small.
    /// </summary>
    private async Task<Outcome<T>> CallWithTokenAsync<T>(string activity, object input, bool canBeStopped)
        where T : class
    {
        TaskCompletionSource<bool>? trial = null;
        try
        {
            var delay = Settings.RetryDelay;
            while (true)
            {
                ThrowIfCancelled();
                var call = CallAsync<Outcome<T>>(activity, input);
                var outcome = await (canBeStopped ? OrStopAsync(call) : OrFailAsync(call));
                if (!MayWaitForToken(outcome.Failure) || outcome.Value is not null)
                    return outcome;

                if (trial is null && _tokenTrial is { } other)
                {
                    await OrStopAsync(other.Task);
                    continue;
                }

                _tokenTrial = trial ??= new TaskCompletionSource<bool>();
                await WaitAsync(Max(delay, AskedBy(outcome.Failure)));
                delay = Min(delay * 2, Settings.MaxTokenDelay);
            }
        }
        finally
        {
            if (trial is not null)
            {
                _tokenTrial = null;
                trial.SetResult(true);
            }
        }
    }

    /// <summary>Takes note of whether a token could be had, and tells whether one is to be waited for.</summary>
    private bool MayWaitForToken(UpstreamFailure? failure)
    {
        var now = _context.CurrentUtcDateTime;
        _withoutTokenSince = failure is { IsOfToken: true } ? _withoutTokenSince ?? now : null;
        return now - _withoutTokenSince < Settings.TokenPatience;
    }

    private async Task WaitAsync(TimeSpan delay)
    {
        using var wait = new CancellationTokenSource();
        await Task.WhenAny(_context.CreateTimer(_context.CurrentUtcDateTime + delay, wait.Token), _cancelled);
        wait.Cancel();
        ThrowIfCancelled();
    }

    private Task<T> CallAsync<T>(string activity, object input)
    {
        var call = _context.CallActivityAsync<T>(activity, input, RetryFaults);
        _running.RemoveAll(task => task.IsCompleted);
        _running.Add(call);
        return call;
    }

    /// <summary>Waits for work or for the order to stop, whichever comes first.</summary>
    private async Task<T> OrStopAsync<T>(Task<T> work)
    {
        await Task.WhenAny(work, _cancelled);
        ThrowIfCancelled();
        return await OrFailAsync(work);
    }

    private static async Task<T> OrFailAsync<T>(Task<T> work)
    {
        try
        {
            return await work;
        }
        catch (TaskFailedException exception)
        {
            throw new SyncStoppedException(
                SyncState.Failed,
                // Not the failure's type: Durable Functions does not pass it on from an isolated worker.
                new SyncError("internal-error", $"The step {exception.TaskName} kept failing; the app's log says why."));
        }
    }

    /// <summary>Lets what is still running come to its end, so that nothing is written after the clean-up.</summary>
    private async Task SettleAsync()
    {
        foreach (var task in _running.ToArray())
        {
            try
            {
                await task;
            }
            catch (TaskFailedException)
            {
                // The sync is being stopped: what this call was for no longer matters, and its activity has logged why.
            }
        }
    }

    private void ThrowIfCancelled()
    {
        if (_cancelled.IsCompleted)
            throw new SyncStoppedException(SyncState.Cancelled, null);
    }

    private void Report(SyncProgress progress)
    {
        _progress = progress;
        var isEnded = progress.Status is not (SyncState.WaitingForBank or SyncState.Fetching);
        _context.SetCustomStatus(progress.ToFit() with { EndedAt = isEnded ? _context.CurrentUtcDateTime : null });
    }

    private static SyncStoppedException Failed(UpstreamFailure failure) => new(SyncState.Failed, ErrorFor(failure));

    private static SyncStoppedException Failed(string code, string detail) =>
        new(SyncState.Failed, new SyncError(code, detail));

    private static SyncError ErrorFor(IReadOnlyList<SkippedAccounts> skipped) => new(
        SyncError.AccountsSkipped,
        "Basiq's list of accounts has records that could not be read, and the others were fetched: "
            + string.Join(", ", skipped.Select(s => FormattableString.Invariant($"{s.Count} with {s.Reason}"))) + ".");

    private static SyncError ErrorFor(UpstreamFailure failure) => new(
        failure.Code,
        failure switch
        {
            _ when failure == UpstreamFailure.ConsentEnded => "The user's consent has ended: ask for a new one.",
            { IsOfToken: true, Code: BasiqFailure.ApiKeyRefusedCode } => "Basiq refuses the API key. Replace it, then start the sync again.",
            { IsOfToken: true } => $"Basiq gave no token ({failure.Kind}). Start the sync again later.",
            _ => $"Basiq did not give the data ({failure.Kind}).",
        } + (failure.CorrelationId is { } id ? $" Basiq's correlation id is {id}." : ""));

    /// <summary>The wait after an attempt. Doubling is counted in doubles: it soon outgrows what a time span can hold.</summary>
    private TimeSpan BackOff(int attempt) => TimeSpan.FromSeconds(Math.Min(
        Settings.RetryDelay.TotalSeconds * Math.Pow(2, attempt - 1), Settings.MaxRetryDelay.TotalSeconds));

    private static TimeSpan AskedBy(UpstreamFailure? failure) => TimeSpan.FromSeconds(failure?.RetryAfterSeconds ?? 0);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

#pragma warning disable CA1032, CA1064 // Control flow inside this class; it never leaves it.
    private sealed class SyncStoppedException(SyncState state, SyncError? error) : Exception
    {
        public SyncState State { get; } = state;

        public SyncError? Error { get; } = error;
    }
#pragma warning restore CA1032, CA1064
}
