using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Sync;

/// <summary>The orchestration of a sync on LocalHost's engine, with activities that a test scripts.</summary>
[Trait("Category", "Journeys")]
public sealed class SyncRunTests : IDisposable
{
    private const string SyncId = "sync-under-test";

    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Script _script;

    public SyncRunTests() => _script = new Script(_clock);

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task A_wait_that_Basiq_asks_for_in_the_middle_of_an_account_is_kept()
    {
        _script.Fetch = call => call == 1
            ? new Outcome<FetchedSegment>(new FetchedSegment("a", 500, "next"), Refused(TimeSpan.FromSeconds(60)))
            : new Outcome<FetchedSegment>(new FetchedSegment("a", 10, null));

        var ended = await RunAsync(new SyncOptions(), JobState.Success);

        Assert.Equal((SyncState.Completed, 510L), (ended.Status, ended.Transactions));
        var fetches = _script.Times(nameof(SyncActivities.FetchTransactions));
        Assert.Equal(2, fetches.Length);
        Assert.True(fetches[1] - fetches[0] >= TimeSpan.FromSeconds(60), $"It waited {fetches[1] - fetches[0]}.");
    }

    [Fact]
    public async Task What_is_skipped_of_an_account_that_is_fetched_once_more_counts_once()
    {
        _script.Fetch = _ => new(new FetchedSegment("a", 5, null, Skipped: 1));
        _script.Publish = call => new(call == 1
            ? new PublishResult(PublishOutcome.Outdated, 0, 0) { Outdated = [new("account-1")] }
            : new PublishResult(PublishOutcome.Published, 1, 5));

        var ended = await RunAsync(new SyncOptions(), JobState.Success);

        Assert.Equal((SyncState.Partial, 5L, 1L), (ended.Status, ended.Transactions, ended.TransactionsSkipped));
    }

    [Fact]
    public async Task An_account_that_is_refused_for_good_in_the_middle_is_not_asked_for_again()
    {
        _script.Fetch = _ => new Outcome<FetchedSegment>(
            new FetchedSegment("a", 500, "next"), new UpstreamFailure("Forbidden", "access-denied", IsTransient: false));

        var ended = await RunAsync(new SyncOptions(), JobState.Success);

        Assert.Equal((SyncState.Partial, "access-denied"), (ended.Status, ended.Error?.Code));
        Assert.Single(_script.Times(nameof(SyncActivities.FetchTransactions)));
    }

    [Fact]
    public async Task A_wait_that_Basiq_asks_for_holds_the_next_poll_back()
    {
        _script.Observe = call => call == 1
            ? new Outcome<SyncedJob>(null, Refused(TimeSpan.FromSeconds(60)))
            : new Outcome<SyncedJob>(Job(JobState.Success));

        var ended = await RunAsync(new SyncOptions(), JobState.InProgress);

        Assert.Equal(SyncState.Completed, ended.Status);
        var polls = _script.Times(nameof(SyncActivities.ObserveJob));
        Assert.Equal(2, polls.Length);
        Assert.True(polls[1] - polls[0] >= TimeSpan.FromSeconds(60), $"It waited {polls[1] - polls[0]}.");
    }

    [Theory]
    [InlineData(2, JobState.Success)]
    [InlineData(3, JobState.Failed)]
    public async Task A_job_that_Basiq_does_not_know_three_times_in_a_row_is_lost(int times, JobState expected)
    {
        _script.Observe = call => call <= times ? Missing() : new Outcome<SyncedJob>(Job(JobState.Success));

        var ended = await RunAsync(TenSecondsApart, JobState.InProgress);

        var job = Assert.Single(ended.Jobs);
        Assert.Equal((expected, expected is JobState.Failed, 3), (job.Status, job.IsLost, Polls()));
    }

    [Fact]
    public async Task Polls_that_miss_a_job_within_ten_seconds_are_one_miss()
    {
        var start = _clock.GetUtcNow();
        _script.Observe = _ => _clock.GetUtcNow() - start < TimeSpan.FromSeconds(15) ? Missing() : new Outcome<SyncedJob>(Job(JobState.Success));
        var everySecond = new SyncOptions { FirstPollDelay = TimeSpan.FromSeconds(1), MaxPollDelay = TimeSpan.FromSeconds(1) };

        var ended = await RunAsync(everySecond, JobState.InProgress);

        Assert.Equal(SyncState.Completed, ended.Status);
        Assert.True(Polls() > 5, $"It polled {Polls()} times.");
    }

    [Fact]
    public async Task A_job_that_is_seen_in_between_is_not_lost()
    {
        _script.Observe = call => call is 3 or 6
            ? new Outcome<SyncedJob>(Job(JobState.InProgress))
            : call > 8 ? new Outcome<SyncedJob>(Job(JobState.Success)) : Missing();

        var ended = await RunAsync(TenSecondsApart, JobState.InProgress);

        Assert.Equal((SyncState.Completed, 9), (ended.Status, Polls()));
    }

    [Fact]
    public async Task However_often_it_is_told_that_a_job_changed_during_a_poll_one_more_poll_looks()
    {
        using var first = new ManualResetEventSlim();
        _script.Observe = call =>
        {
            if (call == 1)
                first.Wait(TimeSpan.FromSeconds(30));
            return new Outcome<SyncedJob>(Job(JobState.InProgress));
        };
        await using var engine = await StartAsync(new SyncOptions(), JobState.InProgress);
        await engine.Client.RaiseEventAsync(SyncId, SyncOrchestration.JobChangedEvent);
        await AppUnderTest.WaitForAsync(() => Task.FromResult(Polls()), polls => polls == 1);
        for (var i = 0; i < 50; i++)
            await engine.Client.RaiseEventAsync(SyncId, SyncOrchestration.JobChangedEvent);

        first.Set();
        await AppUnderTest.WaitForAsync(() => Task.FromResult(Polls()), polls => polls >= 2);
        await engine.Client.RaiseEventAsync(SyncId, SyncOrchestration.CancelEvent, "cancelled");
        await engine.EndOfAsync(SyncId);

        Assert.InRange(Polls(), 2, 3);
    }

    [Fact]
    public async Task However_often_a_fetch_is_tried_the_wait_stays_within_its_limit()
    {
        _script.Fetch = _ => new Outcome<FetchedSegment>(null, new UpstreamFailure("Unavailable", "http-503", IsTransient: true));
        var settings = new SyncOptions
        {
            MaxAttempts = 100,
            RetryDelay = TimeSpan.FromSeconds(1),
            MaxRetryDelay = TimeSpan.FromSeconds(1),
        };

        var ended = await RunAsync(settings, JobState.Success);

        Assert.Equal((SyncState.Partial, "http-503"), (ended.Status, ended.Error?.Code));
        Assert.Equal(100, _script.Times(nameof(SyncActivities.FetchTransactions)).Length);
    }

    [Fact]
    public async Task A_publication_that_fails_for_the_moment_is_tried_again()
    {
        _script.Publish = call => call == 1
            ? new Outcome<PublishResult>(null, new UpstreamFailure("Unavailable", "http-503", IsTransient: true))
            : new Outcome<PublishResult>(new PublishResult(PublishOutcome.Published, 1, 1));

        Assert.Equal(SyncState.Completed, (await RunAsync(new SyncOptions(), JobState.Success)).Status);

        Assert.Equal(2, _script.Times(nameof(SyncActivities.PublishSnapshot)).Length);
    }

    [Fact]
    public async Task A_sync_whose_consent_ended_while_it_ran_fails_and_says_so_and_discards_what_it_staged()
    {
        _script.Publish = _ => new Outcome<PublishResult>(null, UpstreamFailure.ConsentEnded);

        var ended = await RunAsync(new SyncOptions(), JobState.Success);

        Assert.Equal((SyncState.Failed, "consent-ended"), (ended.Status, ended.Error?.Code));
        Assert.Contains("ask for a new one", ended.Error!.Detail, StringComparison.Ordinal);
        Assert.Single(_script.Times(nameof(SyncActivities.PublishSnapshot)));
        Assert.Single(_script.Times(nameof(SyncActivities.DiscardSync)));
    }

    public static TheoryData<BasiqFailureKind, bool, string> TokenFailures => new()
    {
        { BasiqFailureKind.Unauthorized, false, "api-key-refused" },
        { BasiqFailureKind.Overloaded, true, "basiq-overloaded" },
        { BasiqFailureKind.UnusableAnswer, false, "basiq-unusable-answer" },
        { BasiqFailureKind.Forbidden, true, "basiq-refused" },
    };

    [Theory]
    [MemberData(nameof(TokenFailures))]
    public void A_failed_request_for_a_token_is_never_told_in_words_about_the_data(BasiqFailureKind kind, bool isTransient, string code)
    {
        Assert.Equal((code, true, true, false), Seen(WithoutToken(kind, isTransient)));
        Assert.Equal(
            ("resource-not-found", false, false, true),
            Seen(UpstreamFailure.From(new BasiqFailure(BasiqFailureKind.NotFound, "resource-not-found") { Endpoint = "GET /jobs/{jobId}" })));

        static (string, bool, bool, bool) Seen(UpstreamFailure failure) => (failure.Code, failure.IsOfToken, failure.MayPass, failure.IsNotFound);
    }

    [Theory]
    [InlineData(BasiqFailureKind.Unauthorized, false)]
    [InlineData(BasiqFailureKind.Overloaded, true)]
    public async Task A_sync_waits_for_days_while_no_token_can_be_had_and_fetches_all_of_it_then(BasiqFailureKind kind, bool isTransient)
    {
        var end = _clock.GetUtcNow() + TimeSpan.FromDays(3);
        var parts = 0;
        _script.Accounts = [.. Enumerable.Range(0, 20).Select(i => $"account-{i}")];
        _script.Fetch = _ => _clock.GetUtcNow() >= end
            ? new Outcome<FetchedSegment>(new FetchedSegment("a", 10, null))
            : Interlocked.Increment(ref parts) == 1
                ? new Outcome<FetchedSegment>(new FetchedSegment("a", 500, "next"), WithoutToken(kind, isTransient))
                : new Outcome<FetchedSegment>(null, WithoutToken(kind, isTransient));

        var ended = await RunAsync(new SyncOptions(), JobState.Success, TimeSpan.FromMinutes(5));

        Assert.Equal((SyncState.Completed, 700L, 20), (ended.Status, ended.Transactions, ended.Accounts.Fetched));
        var times = _script.Times(nameof(SyncActivities.FetchTransactions));
        Assert.InRange(times.Count(at => at < end), 100, 200);
        Assert.True(times.First(at => at >= end) - end < TimeSpan.FromMinutes(40));
    }

    [Fact]
    public async Task A_sync_that_waits_for_a_token_in_vain_ends_after_a_week_and_says_why()
    {
        _script.Accounts = [.. Enumerable.Range(0, 20).Select(i => $"account-{i}")];
        _script.Fetch = call => call == 1
            ? new Outcome<FetchedSegment>(new FetchedSegment("a", 10, null))
            : new Outcome<FetchedSegment>(null, WithoutToken(BasiqFailureKind.Unauthorized, false));

        var ended = await RunAsync(new SyncOptions(), JobState.Success, TimeSpan.FromMinutes(15));

        Assert.Equal((SyncState.Partial, "api-key-refused", 1), (ended.Status, ended.Error?.Code, ended.Accounts.Fetched));
        Assert.Contains("refuses the API key", ended.Error!.Detail, StringComparison.Ordinal);
        var times = _script.Times(nameof(SyncActivities.FetchTransactions));
        Assert.InRange(times[^1] - times[0], TimeSpan.FromDays(7), TimeSpan.FromDays(7.1));
        Assert.InRange(times.Length, 300, 400);
    }

    [Fact]
    public async Task The_time_of_a_job_stands_still_while_no_token_can_be_had_to_ask_for_it()
    {
        var end = _clock.GetUtcNow() + TimeSpan.FromDays(2);
        var seen = 0;
        _script.Observe = _ => _clock.GetUtcNow() < end
            ? new Outcome<SyncedJob>(null, WithoutToken(BasiqFailureKind.Unauthorized, false))
            : new Outcome<SyncedJob>(Job(Interlocked.Increment(ref seen) == 1 ? JobState.InProgress : JobState.Success));

        var ended = await RunAsync(new SyncOptions(), JobState.InProgress, TimeSpan.FromMinutes(5));

        Assert.Equal(SyncState.Completed, ended.Status);
        Assert.InRange(_script.Times(nameof(SyncActivities.ObserveJob)).Count(at => at < end), 90, 150);
    }

    [Fact]
    public async Task A_sync_that_cannot_ask_for_its_job_for_a_week_ends_and_says_why_and_can_be_started_again()
    {
        _script.Observe = _ => new Outcome<SyncedJob>(null, WithoutToken(BasiqFailureKind.Unauthorized, false));

        var ended = await RunAsync(new SyncOptions(), JobState.InProgress, TimeSpan.FromMinutes(15));

        Assert.Equal((SyncState.Failed, "api-key-refused", JobState.InProgress), (ended.Status, ended.Error?.Code, ended.Jobs[0].Status));
        Assert.True(new SyncAnswer(new("s"), new("u"), ended.Status, default, default, ended.Jobs, ended.Accounts, 0, ended.Error).MayBeStartedAgain);
    }

    [Fact]
    public async Task A_sync_that_waits_for_a_token_can_be_stopped()
    {
        _script.Accounts = ["account-1", "account-2"];
        _script.Fetch = _ => new Outcome<FetchedSegment>(null, WithoutToken(BasiqFailureKind.Unauthorized, false));
        await using var engine = await StartAsync(new SyncOptions(), JobState.Success);
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_script.Times(nameof(SyncActivities.FetchTransactions)).Length), fetches => fetches >= 2);

        await engine.Client.RaiseEventAsync(SyncId, SyncOrchestration.CancelEvent, "cancelled");
        await engine.EndOfAsync(SyncId);

        Assert.Single(_script.Times(nameof(SyncActivities.DiscardSync)));
    }

    private static UpstreamFailure WithoutToken(BasiqFailureKind kind, bool isTransient) =>
        UpstreamFailure.From(new BasiqFailure(kind, "resource-not-found") { Endpoint = "POST /token", IsTransient = isTransient });

    private static UpstreamFailure Refused(TimeSpan wait) =>
        new("Overloaded", "too-many-requests", IsTransient: true, RetryAfterSeconds: wait.TotalSeconds);

    private static SyncOptions TenSecondsApart => new() { FirstPollDelay = TimeSpan.FromSeconds(10), MaxPollDelay = TimeSpan.FromSeconds(10) };

    private static Outcome<SyncedJob> Missing() => new(null, new UpstreamFailure("NotFound", "resource-not-found", IsTransient: false));

    private static SyncedJob Job(JobState state) => new(new("job-1"), new("connection-1"), state, []);

    private int Polls() => _script.Times(nameof(SyncActivities.ObserveJob)).Length;

    private async Task<EngineUnderTest> StartAsync(SyncOptions settings, JobState job)
    {
        var engine = await EngineUnderTest.StartAsync(_state, _clock, _script, typeof(SyncOrchestration), typeof(Activities));
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(
            SyncOrchestration.Name, new SyncInput(new("user-1"), [Job(job)], settings), new StartOrchestrationOptions(SyncId));
        return engine;
    }

    [Theory]
    [InlineData(true, JobState.Success, "data.changed,connection.recovered?,sync.ended completed")]
    [InlineData(false, JobState.Success, "connection.recovered?,sync.ended completed")]
    [InlineData(false, JobState.Failed, "connection.attention? reconnect,sync.ended failed")]
    public async Task What_became_of_it_is_told_once_it_is_so(bool hasNews, JobState job, string told)
    {
        _script.Publish = _ => new(new PublishResult(PublishOutcome.Published, 1, 1) { HasNews = hasNews });
        _script.Observe = _ => new(Job(job) with { NextAction = job is JobState.Failed ? NextAction.Reconnect : null });

        await RunAsync(new SyncOptions(), JobState.InProgress);

        Assert.Equal(told, string.Join(',', _script.Told.Select(notice =>
            $"{notice.Type}{(notice.OnlyIfNews ? "?" : "")} {notice.Data.Outcome ?? notice.Data.NextAction}".TrimEnd())));
        Assert.Equal(_script.Told.Count, _script.Told.Select(notice => notice.MessageId).Distinct().Count());
    }

    /// <summary>Runs a sync to its end while time passes.</summary>
    private async Task<SyncProgress> RunAsync(SyncOptions settings, JobState job, TimeSpan? step = null)
    {
        await using var engine = await StartAsync(settings, job);
        var ended = await engine.EndOfAsync(SyncId, _clock, step ?? TimeSpan.FromSeconds(1));
        Assert.True(
            ended.RuntimeStatus is OrchestrationRuntimeStatus.Completed, $"It {ended.RuntimeStatus}: {ended.FailureDetails?.ErrorMessage}");
        return JsonSerializer.Deserialize<SyncProgress>(ended.SerializedOutput!)!;
    }

    public sealed class Script(TimeProvider clock)
    {
        private readonly ConcurrentQueue<(string Activity, DateTimeOffset At)> _calls = [];

        public IReadOnlyList<string> Accounts { get; set; } = ["account-1"];

        public Func<int, Outcome<SyncedJob>> Observe { get; set; } = _ => new(Job(JobState.Success));

        public Func<int, Outcome<FetchedSegment>> Fetch { get; set; } = _ => new(new FetchedSegment("a", 1, null));

        public Func<int, Outcome<PublishResult>> Publish { get; set; } = _ => new(new PublishResult(PublishOutcome.Published, 1, 1));

        public ConcurrentQueue<Notice> Told { get; } = [];

        public DateTimeOffset[] Times(string activity) => [.. _calls.Where(c => c.Activity == activity).Select(c => c.At)];

        /// <summary>Notes a call and tells the how-many-eth of its activity it is.</summary>
        public int Note(string activity)
        {
            _calls.Enqueue((activity, clock.GetUtcNow()));
            return Times(activity).Length;
        }
    }

    public sealed class Activities(Script script)
    {
        [Function(nameof(SyncActivities.ObserveJob))]
        public Outcome<SyncedJob> ObserveJob([ActivityTrigger] ObserveJobInput input) =>
            script.Observe(script.Note(nameof(SyncActivities.ObserveJob)));

        [Function(nameof(SyncActivities.StageAccounts))]
        public Outcome<BasiqFunctions.Sync.StagedAccounts> StageAccounts([ActivityTrigger] StageAccountsInput input) =>
            new(new BasiqFunctions.Sync.StagedAccounts([.. script.Accounts.Select(id => new AccountFetch(new(id)))], [new("connection-1")], AccountListing.None, []));

        [Function(nameof(SyncActivities.FetchTransactions))]
        public Outcome<FetchedSegment> FetchTransactions([ActivityTrigger] FetchTransactionsInput input) =>
            script.Fetch(script.Note(nameof(SyncActivities.FetchTransactions)));

        [Function(nameof(SyncActivities.PublishSnapshot))]
        public Outcome<PublishResult> PublishSnapshot([ActivityTrigger] PublishInput input) =>
            script.Publish(script.Note(nameof(SyncActivities.PublishSnapshot)));

        [Function(NoticeExtensions.Activity)]
        public Task TakeNotices([ActivityTrigger] IReadOnlyList<Notice> notices)
        {
            foreach (var notice in notices)
                script.Told.Enqueue(notice);
            return Task.CompletedTask;
        }

        [Function(nameof(SyncActivities.DiscardSync))]
        public Task DiscardSync([ActivityTrigger] DiscardInput input)
        {
            script.Note(nameof(SyncActivities.DiscardSync));
            return Task.CompletedTask;
        }
    }
}
