using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>
/// Raises the events that the passing of time brings about: a job's steps end, a consent is about to expire and does. Each
/// is known by what it is and when, so that one that came due while the sandbox was not running is raised at its start, once.
/// </summary>
internal sealed partial class Milestones : IHostedService, IDisposable
{
    // "When a consent has been active for 90 days since the last update": Basiq's OpenAPI, GET /events/types.
    private static readonly TimeSpan ReminderAfter = TimeSpan.FromDays(90);

    private readonly SandboxState _state;
    private readonly Events _events;
    private readonly DataViews _data;
    private readonly LiveOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<Milestones> _logger;
    private readonly DueTimes<Milestone> _due;

    public Milestones(
        SandboxState state, Events events, DataViews data, LiveOptions options, TimeProvider clock, ILogger<Milestones> logger)
    {
        (_state, _events, _data, _options, _clock, _logger) = (state, events, data, options, clock, logger);
        _due = new DueTimes<Milestone>(clock, Raise);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var user in _state.Users)
        {
            foreach (var job in user.Jobs)
                Watch(job);
            foreach (var consent in user.Consents)
                Watch(consent);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _due.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _due.Dispose();

    /// <summary>Watches a job that is new, or whose challenge was answered.</summary>
    public void Watch(JobRecord job)
    {
        var oldest = _clock.GetUtcNow() - Events.Kept;
        foreach (var at in new JobProgress(job, job.Created).Changes().Where(at => at > oldest))
            _due.Add(at, new Milestone(job.UserId, job.Id, null));
    }

    /// <summary>Watches a consent that is new or was extended.</summary>
    public void Watch(ConsentRecord consent)
    {
        var oldest = _clock.GetUtcNow() - Events.Kept;
        foreach (var (at, _) in Of(consent).Where(m => m.At > oldest))
            _due.Add(at, new Milestone(consent.UserId, null, consent.Id));
    }

    private IEnumerable<(DateTimeOffset At, string TypeId)> Of(ConsentRecord consent)
    {
        var warning = consent.Expires - _options.Current.ConsentWarning;
        if (warning > consent.Updated && warning < consent.Expires)
            yield return (warning, EventTypes.ConsentWarning);
        var reminder = consent.Updated + ReminderAfter;
        if (reminder < consent.Expires)
            yield return (reminder, EventTypes.ConsentReminder);
        yield return (consent.Expires, EventTypes.ConsentExpired);
    }

    private void Raise(Milestone milestone)
    {
        try
        {
            if (_state.User(milestone.UserId) is not { } user)
                return;
            lock (user.Gate)
            {
                if (user.Deleted)
                    return;
                if (_state.Job(milestone.JobId ?? "") is { } job && user.Connection(job.ConnectionId) is { } connection)
                    RaiseOf(job, connection);
                if (user.Consents.FirstOrDefault(c => c.Id == milestone.ConsentId) is { Revoked: null } consent)
                    RaiseOf(user, consent);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It comes up again at the next start.
            NotRecorded(_logger, milestone.UserId, exception);
        }
    }

    private void RaiseOf(JobRecord job, ConnectionState state)
    {
        var connection = state.Record;
        var progress = new JobProgress(job, _clock.GetUtcNow());
        if (job.Authorises && progress.IsLetIn is { } isLetIn)
        {
            var at = job.Challenge is null || progress.Challenge == StepStatus.Pending
                ? progress.EndOf(0)
                : progress.ChallengeEnded;
            if (isLetIn)
                _events.RaiseOnce(EventTypes.ConnectionActivated, at, connection, "active");
            else
                _events.RaiseOnce(EventTypes.ConnectionInvalidated, at, connection, "invalid");
        }

        if (progress[1] != StepStatus.Success)
            return;

        // Basiq raises one for each account that has changed, and none where that is the balance alone, as in the background; here one
        // stands for all.
        var accounts = _data.Accounts(state);
        if (accounts.Length > 0 && !job.IsBackground)
            _events.RaiseOnce(progress.EndOf(1), accounts[0]);
        if (progress[2] == StepStatus.Success)
            _events.RaiseOnce(progress.EndOf(2), connection, accounts.Sum(account => (long)account.Count));
    }

    private void RaiseOf(UserState user, ConsentRecord consent)
    {
        var now = _clock.GetUtcNow();
        foreach (var (at, typeId) in Of(consent).Where(m => m.At <= now).OrderBy(m => m.At))
        {
            var hasExpired = typeId == EventTypes.ConsentExpired;
            _events.RaiseOnce(typeId, at, consent, hasExpired ? "expired" : "active");
            if (!hasExpired)
                continue;
            foreach (var connection in user.Connections.Where(c => c.Record.ConsentId == consent.Id && !c.Record.Deleted))
                _events.RaiseOnce(EventTypes.ConnectionInvalidated, at, connection.Record, "invalid");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "An event of user {UserId} could not be recorded.")]
    private static partial void NotRecorded(ILogger logger, string userId, Exception exception);

    private readonly record struct Milestone(string UserId, string? JobId, string? ConsentId);
}
