using Microsoft.Extensions.Hosting;

namespace BasiqFunctions.Platform.Health;

/// <summary>How long the app has been running.</summary>
public sealed class Uptime(TimeProvider clock) : IHostedService
{
    private long? _startedAt;

    /// <summary>Since the host started; null before.</summary>
    public TimeSpan? Elapsed => _startedAt is { } at ? clock.GetElapsedTime(at) : null;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _startedAt = clock.GetTimestamp();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
