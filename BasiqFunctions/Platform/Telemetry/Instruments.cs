using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>
/// The app's one meter and one activity source, both named <see cref="Name"/>. docs/telemetry.md lists what they give.
/// </summary>
/// <remarks>
/// Tags of metrics have few values: a route template, an outcome, a code that is known. Ids of users, jobs, syncs and accounts are
/// for spans alone. Nothing here takes a token, a query or anything about a person.
/// </remarks>
public sealed class Instruments
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = nameof(BasiqFunctions);

    /// <summary>The outcome of what went well.</summary>
    internal const string Success = "success";

    internal const string OutcomeTag = "basiq.outcome";

    private static readonly ActivitySource Source = new(Name);

    private readonly TimeProvider _clock;
    private readonly Meter _meter;
    private readonly Histogram<double> _calls;
    private readonly Counter<long> _tokenRefreshes;
    private readonly Histogram<double> _syncs;
    private readonly Counter<long> _jobs;
    private readonly Counter<long> _accounts;
    private readonly Counter<long> _skippedAccounts;
    private readonly Counter<long> _transactions;
    private readonly Counter<long> _removals;
    private readonly Counter<long> _visits;
    private readonly Counter<long> _retentionFailures;
    private readonly Counter<long> _removalsHeld;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _events;
    private readonly Counter<long> _damages;
    private readonly Counter<long> _postings;
    private readonly Counter<long> _notifications;
    private readonly Counter<long> _reportRequests;
    private readonly Histogram<double> _reports;

    /// <summary>Makes the instruments; the factory disposes of them.</summary>
    public Instruments(IMeterFactory meters, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _clock = clock;
        _meter = meters.Create(Name);
        _calls = _meter.CreateHistogram(
            "basiq.call.duration", "s", "Calls to Basiq, with their retries and waits.",
            advice: Buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60));
        _tokenRefreshes = _meter.CreateCounter<long>(
            "basiq.server_token.refreshes", "{refresh}", "Server tokens asked for.");
        _syncs = _meter.CreateHistogram(
            "basiq.sync.duration", "s", "Syncs that ended.", advice: Buckets(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600));
        _jobs = _meter.CreateCounter<long>("basiq.sync.jobs", "{job}", "Jobs of the syncs that ended.");
        _accounts = _meter.CreateCounter<long>("basiq.sync.accounts", "{account}", "Accounts fetched to their end.");
        _skippedAccounts = _meter.CreateCounter<long>(
            "basiq.sync.accounts.skipped", "{account}", "Accounts of Basiq's lists that could not be read.");
        _transactions = _meter.CreateCounter<long>("basiq.sync.transactions", "{transaction}", "Transactions fetched.");
        _removals = _meter.CreateCounter<long>("basiq.data.removals", "{removal}", "Removals of what was kept of a user or a connection.");
        _visits = _meter.CreateCounter<long>("basiq.bank.visits", "{visit}", "Visits of banks that refreshes asked for.");
        _retentionFailures = _meter.CreateCounter<long>(
            "basiq.retention.failures", "{user}", "Users of whom it could not be settled whether their data may be kept.");
        _removalsHeld = _meter.CreateCounter<long>(
            "basiq.retention.held", "{user}", "Users of whom Basiq has nothing and whose data stays until somebody confirms that they are gone.");
        _messages = _meter.CreateCounter<long>("basiq.webhook.messages", "{message}", "Webhooks that were signed as they should be.");
        _refusals = _meter.CreateCounter<long>("basiq.webhook.refusals", "{message}", "Webhooks that were refused.");
        _events = _meter.CreateCounter<long>("basiq.events", "{event}", "Events that were dealt with.");
        _notifications = _meter.CreateCounter<long>("basiq.notifications", "{attempt}", "Attempts to tell the team's backend.");
        _postings = _meter.CreateCounter<long>(
            "basiq.changes.postings", "{transaction}", "Posted transactions that a pending one fits that is gone.");
        _reportRequests = _meter.CreateCounter<long>("basiq.report.requests", "{report}", "Reports that were asked for.");
        _reports = _meter.CreateHistogram(
            "basiq.report.duration", "s", "Reports that were made, or could not be had.", advice: Buckets(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600));
        _damages = _meter.CreateCounter<long>("basiq.storage.damages", "{read}", "Reads that found something else than what was stored.");
    }

    /// <summary>Counts a webhook that was signed as it should be: new, come before, or of no use.</summary>
    internal void WebhookTaken(string outcome) => _messages.Add(1, new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Counts a webhook that was refused.</summary>
    internal void WebhookRefused(string reason) => _refusals.Add(1, new KeyValuePair<string, object?>("basiq.webhook.reason", reason));

    /// <summary>Counts an event that was dealt with.</summary>
    /// <param name="type">Its type, one of few.</param>
    /// <param name="outcome">What came of it.</param>
    internal void EventHandled(string type, string outcome) =>
        _events.Add(1, new("basiq.event.type", type), new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Has the age of the server token observed, for as long as there is one.</summary>
    /// <param name="age">Gives the age, null without a token.</param>
    internal void ObserveTokenAge(Func<TimeSpan?> age) =>
        _meter.CreateObservableGauge(
            "basiq.server_token.age",
            () => age() is { } time ? [new Measurement<double>(time.TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s",
            "Time since the server token in memory was minted.");

    /// <summary>Begins to measure a call to Basiq; disposing of it ends that.</summary>
    /// <param name="endpoint">Verb and path template.</param>
    internal Measured BeginCall(string endpoint)
    {
        var start = _clock.GetTimestamp();
        return new Measured(
            StartSpan(endpoint)?.SetTag("basiq.endpoint", endpoint),
            outcome => _calls.Record(
                _clock.GetElapsedTime(start).TotalSeconds, new("basiq.endpoint", endpoint), new(OutcomeTag, outcome)));
    }

    /// <summary>Begins the span of an activity of a sync; disposing of it ends it.</summary>
    /// <param name="activity">The activity's name.</param>
    /// <param name="userId">The user.</param>
    /// <param name="syncId">The sync, where the activity knows it.</param>
    internal static Measured BeginActivity(string activity, UserId userId, SyncId? syncId) =>
        new(StartSpan(activity)?.SetTag("basiq.user.id", userId.Value).SetTag("basiq.sync.id", syncId?.Value), _ => { });

    /// <summary>Counts a server token that was asked for.</summary>
    internal void TokenRefreshed(string outcome) => _tokenRefreshes.Add(1, new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Counts a sync that ended, once: never while its orchestration is replayed.</summary>
    internal void SyncEnded(string outcome, TimeSpan duration) =>
        _syncs.Record(duration.TotalSeconds, new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Counts a job of a sync that ended, once.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="failureCode">Why it failed, one of few; null when it did not.</param>
    internal void JobEnded(string outcome, string? failureCode)
    {
        var tags = new TagList { { OutcomeTag, outcome } };
        if (failureCode is not null)
            tags.Add("basiq.job.failure_code", failureCode);
        _jobs.Add(1, tags);
    }

    /// <summary>Counts transactions that were fetched and, with the last of them, their account.</summary>
    internal void Fetched(int transactions, bool isWholeAccount)
    {
        _transactions.Add(transactions);
        if (isWholeAccount)
            _accounts.Add(1);
    }

    /// <summary>Counts accounts of a list that could not be read.</summary>
    internal void AccountsSkipped(string reason, int count) =>
        _skippedAccounts.Add(count, new KeyValuePair<string, object?>("basiq.account.reason", reason));

    /// <summary>Counts a removal of what was kept of a user or a connection.</summary>
    internal void DataRemoved(string reason) =>
        _removals.Add(1, new KeyValuePair<string, object?>("basiq.removal.reason", reason));

    /// <summary>Counts a visit of a bank that a refresh asked for, and what came of it.</summary>
    /// <param name="outcome">Whether it was made, may have been, was refused by Basiq, or went beyond the day's budget.</param>
    internal void BankVisited(string outcome) => _visits.Add(1, new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Counts a read of something that is damaged.</summary>
    /// <param name="store">Where: <c>snapshots</c>, <c>records</c> or <c>reports</c>.</param>
    internal void Damaged(string store) => _damages.Add(1, new KeyValuePair<string, object?>("basiq.store", store));

    /// <summary>Counts a report that was asked for.</summary>
    /// <param name="isWithinLimit">Whether it was one of those that there may be in a day.</param>
    internal void ReportAsked(bool isWithinLimit) =>
        _reportRequests.Add(1, new KeyValuePair<string, object?>(OutcomeTag, isWithinLimit ? "accepted" : "over-limit"));

    /// <summary>Counts a report that is ready, or has failed, and how long that took from when it was asked for.</summary>
    internal void ReportEnded(bool isReady, TimeSpan duration) =>
        _reports.Record(duration.TotalSeconds, new KeyValuePair<string, object?>(OutcomeTag, isReady ? "ready" : "failed"));

    /// <summary>Has it observed how many reports may still be asked for today.</summary>
    /// <param name="left">Gives how many; null before the first of a day.</param>
    internal void ObserveReportsLeft(Func<int?> left) =>
        _meter.CreateObservableGauge(
            "basiq.report.left",
            () => left() is { } count ? [new Measurement<int>(count)] : Array.Empty<Measurement<int>>(),
            "{report}",
            "Reports that may still be asked for today.");

    /// <summary>Counts posted transactions that are taken for pending ones, and those that may have been and of which that cannot be told.</summary>
    internal void Posted(int linked, int ambiguous)
    {
        if (linked > 0)
            _postings.Add(linked, new KeyValuePair<string, object?>(OutcomeTag, "linked"));
        if (ambiguous > 0)
            _postings.Add(ambiguous, new KeyValuePair<string, object?>(OutcomeTag, "ambiguous"));
    }

    /// <summary>Counts an attempt to tell the team's backend.</summary>
    /// <param name="type">The type of the message, one of few.</param>
    /// <param name="outcome">Whether it arrived, is tried again, or is given up.</param>
    internal void NotificationTried(string type, string outcome) =>
        _notifications.Add(1, new("basiq.notification.type", type), new KeyValuePair<string, object?>(OutcomeTag, outcome));

    /// <summary>Has it observed how many receivers fail for longer than a day.</summary>
    /// <param name="failing">Gives how many do, as far as this process knows.</param>
    internal void ObserveFailingReceivers(Func<int> failing) =>
        _meter.CreateObservableGauge("basiq.notification.receivers.failing", failing, "{receiver}", "Receivers that have taken nothing for a day.");

    /// <summary>Counts a user with whom the daily pass failed.</summary>
    internal void RetentionFailed() => _retentionFailures.Add(1);

    /// <summary>Counts users whose removal the daily pass holds up until somebody confirms it.</summary>
    internal void RemovalsHeld(int users) => _removalsHeld.Add(users);

    private static Activity? StartSpan(string name) => Source.StartActivity(name);

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };
}
