using System.Collections.Concurrent;
using System.Security.Cryptography;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>A user and what hangs on it. Arrays are replaced, never changed, so readers need no lock.</summary>
internal sealed class UserState(UserRecord record)
{
    private volatile UserRecord _record = record;
    private volatile ConnectionState[] _connections = [];
    private volatile JobRecord[] _jobs = [];
    private volatile ConsentRecord[] _consents = [];
    private volatile AuthLinkRecord? _authLink;

    /// <summary>Held while this user is changed.</summary>
    public Lock Gate { get; } = new();

    public bool Deleted { get; set; }
    public string Id => _record.Id;
    public UserRecord Record { get => _record; set => _record = value; }

    /// <summary>Deleted connections included: their accounts stay.</summary>
    public ConnectionState[] Connections { get => _connections; set => _connections = value; }

    /// <summary>Oldest first.</summary>
    public JobRecord[] Jobs { get => _jobs; set => _jobs = value; }
    public ConsentRecord[] Consents { get => _consents; set => _consents = value; }
    public AuthLinkRecord? AuthLink { get => _authLink; set => _authLink = value; }

    public ConnectionState? Connection(string id)
    {
        foreach (var connection in _connections)
        {
            if (connection.Record.Id == id && !connection.Record.Deleted)
                return connection;
        }

        return null;
    }
}

/// <summary>A connection with its jobs, oldest first, and the accounts last computed for it.</summary>
internal sealed class ConnectionState(ConnectionRecord record)
{
    private volatile ConnectionRecord _record = record;
    private volatile JobRecord[] _jobs = [];
    private volatile ConnectionData? _data;

    public ConnectionRecord Record { get => _record; set => _record = value; }
    public JobRecord[] Jobs { get => _jobs; set => _jobs = value; }
    public ConnectionData? Data { get => _data; set => _data = value; }

    /// <summary>Whether the consent it rests on is over at a moment, or gone.</summary>
    public bool ConsentHasEnded(UserState user, DateTimeOffset now) =>
        !Record.IsStatement && user.Consents.FirstOrDefault(c => c.Id == Record.ConsentId)?.HasEndedAt(now) is not false;
}

/// <summary>All that the sandbox remembers. Every change goes to the state file first, when there is one.</summary>
internal sealed class SandboxState : IDisposable
{
    private readonly ConcurrentDictionary<string, UserState> _users = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, JobRecord> _jobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _usersByAuthLink = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ReportRecord> _reports = new(StringComparer.Ordinal);
    private readonly StateFile? _file;

    // Writers share it; a compaction of the file has it alone, so that no line falls between snapshot and file.
    private readonly ReaderWriterLockSlim _fileGate = new();

    public SandboxState(LiveOptions options)
    {
        if (options.Configured.StateFile is { Length: > 0 } path)
        {
            foreach (var line in StateFile.Read(path))
                Apply(line);
            TokenKey ??= RandomNumberGenerator.GetBytes(32);
            _file = new StateFile(path);
            _file.Rewrite(Snapshot());
        }

        TokenKey ??= RandomNumberGenerator.GetBytes(32);
    }

    /// <summary>What tokens are authenticated with; kept in the state file, so that tokens outlive a restart.</summary>
    public byte[] TokenKey { get; private set; }

    /// <summary>Events, and who is told of them.</summary>
    public NotificationState Notifications { get; } = new();

    /// <summary>All users, in no order.</summary>
    public IEnumerable<UserState> Users => _users.Values;

    public UserState? User(string id) => _users.GetValueOrDefault(id);

    public JobRecord? Job(string id) => _jobs.GetValueOrDefault(id);

    /// <summary>All reports, in no order.</summary>
    public IEnumerable<ReportRecord> Reports => _reports.Values;

    public ReportRecord? Report(string id) => _reports.GetValueOrDefault(id);

    public UserState? UserOfAuthLink(string id) => _usersByAuthLink.TryGetValue(id, out var userId) ? User(userId) : null;

    /// <summary>Records a change. The caller holds the gate of the user it belongs to, unless the user is new.</summary>
    public void Record(StateLine line)
    {
        if (_file is null)
        {
            Apply(line);
            return;
        }

        _fileGate.EnterReadLock();
        try
        {
            _file.Append(line);
            Apply(line);
        }
        finally
        {
            _fileGate.ExitReadLock();
        }
    }

    /// <summary>Removes a user and everything of it, from the file too; false when it is gone already.</summary>
    public bool DeleteUser(UserState user)
    {
        lock (user.Gate)
        {
            if (user.Deleted)
                return false;
            Record(new StateLine { DeletedUser = user.Id });
        }

        if (_file is null)
            return true;
        _fileGate.EnterWriteLock();
        try
        {
            _file.Rewrite(Snapshot());
            return true;
        }
        finally
        {
            _fileGate.ExitWriteLock();
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _fileGate.Dispose();
    }

    private void Apply(StateLine line)
    {
        switch (line)
        {
            case { TokenKey: { } key }:
                TokenKey = Convert.FromBase64String(key);
                break;
            case { User: { } record }:
                if (_users.TryGetValue(record.Id, out var known))
                    known.Record = record;
                else
                    _users[record.Id] = new UserState(record);
                break;
            case { Connection: { } record } when User(record.UserId) is { } user:
                if (user.Connections.FirstOrDefault(c => c.Record.Id == record.Id) is { } connection)
                    connection.Record = record;
                else
                    user.Connections = [.. user.Connections, new ConnectionState(record)];
                break;
            case { Job: { } record } when User(record.UserId) is { } user:
                user.Jobs = With(user.Jobs, record);
                if (user.Connections.FirstOrDefault(c => c.Record.Id == record.ConnectionId) is { } of)
                    of.Jobs = With(of.Jobs, record);
                _jobs[record.Id] = record;
                break;
            case { Consent: { } record } when User(record.UserId) is { } user:
                user.Consents = [.. user.Consents.Where(c => c.Id != record.Id), record];
                break;
            case { AuthLink: { } record } when User(record.UserId) is { } user:
                ForgetAuthLink(user);
                user.AuthLink = record;
                _usersByAuthLink[record.Id] = record.UserId;
                break;
            case { DeletedAuthLink: { } userId } when User(userId) is { } user:
                ForgetAuthLink(user);
                break;
            case { Report: { } record }:
                _reports[record.Id] = record;
                break;
            case { DeletedReport: { } reportId }:
                _reports.TryRemove(reportId, out _);
                break;
            case { DeletedUser: { } userId } when _users.TryRemove(userId, out var user):
                user.Deleted = true;
                ForgetAuthLink(user);
                foreach (var job in user.Jobs)
                    _jobs.TryRemove(job.Id, out _);
                Notifications.Forget(userId);
                break;
            default:
                Notifications.Apply(line);
                break;
        }
    }

    private static JobRecord[] With(JobRecord[] jobs, JobRecord record)
    {
        var index = Array.FindIndex(jobs, j => j.Id == record.Id);
        if (index < 0)
            return [.. jobs, record];
        JobRecord[] changed = [.. jobs];
        changed[index] = record;
        return changed;
    }

    private void ForgetAuthLink(UserState user)
    {
        if (user.AuthLink is { } old)
            _usersByAuthLink.TryRemove(old.Id, out _);
        user.AuthLink = null;
    }

    private IEnumerable<StateLine> Snapshot()
    {
        yield return new StateLine { TokenKey = Convert.ToBase64String(TokenKey) };
        foreach (var user in _users.Values)
        {
            yield return new StateLine { User = user.Record };
            foreach (var consent in user.Consents)
                yield return new StateLine { Consent = consent };
            foreach (var connection in user.Connections)
                yield return new StateLine { Connection = connection.Record };
            foreach (var job in user.Jobs)
                yield return new StateLine { Job = job };
            if (user.AuthLink is { } link)
                yield return new StateLine { AuthLink = link };
        }

        foreach (var report in _reports.Values)
            yield return new StateLine { Report = report };
        foreach (var line in Notifications.Snapshot())
            yield return line;
    }
}
