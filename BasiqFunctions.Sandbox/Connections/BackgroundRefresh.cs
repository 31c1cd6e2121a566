using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;

namespace BasiqFunctions.Sandbox.Connections;

/// <summary>
/// Basiq's "smart cache": refreshes active connections without anybody asking for it, every so often or once by
/// <c>/_sandbox/background-refresh</c>. The jobs are like others, and so are the events that they raise.
/// </summary>
internal sealed class BackgroundRefresh(SandboxState state, Jobs jobs, LiveOptions options, TimeProvider clock) : IHostedService, IDisposable
{
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private TimeSpan _every;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        options.Changed += Arm;
        Arm();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        options.Changed -= Arm;
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            (_timer, _every) = (null, TimeSpan.Zero);
        }
    }

    /// <summary>Refreshes the active connections of a user, or of everybody, and returns how many.</summary>
    public int Run(string? userId = null)
    {
        var started = 0;
        foreach (var user in state.Users.Where(user => userId is null || user.Id == userId))
        {
            lock (user.Gate)
            {
                if (user.Deleted)
                    continue;
                foreach (var connection in user.Connections.Where(c => c.Record is { Deleted: false, IsStatement: false }))
                {
                    if (ConnectionEndpoints.Status(user, connection, clock.GetUtcNow()) == "active" && jobs.Start(connection, isBackground: true).IsNew)
                        started++;
                }
            }
        }

        return started;
    }

    private void Arm()
    {
        var every = options.Current.BackgroundRefreshEvery;
        lock (_gate)
        {
            if (every == _every)
                return;
            _timer?.Dispose();
            _timer = every > TimeSpan.Zero ? clock.CreateTimer(_ => Run(), null, every, every) : null;
            _every = every;
        }
    }
}
