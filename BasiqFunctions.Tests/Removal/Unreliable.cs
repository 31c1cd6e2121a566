using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Removal;

/// <summary>Something kept of users whose removal fails as long as a test says so: beside the snapshots, or they themselves.</summary>
internal sealed class Unreliable : IUserRecords
{
    private readonly AsyncLocal<bool> _isSpared = new();
    private int _failures;

    public bool Fails { get; set; }

    public bool FailsAtSnapshots { get; set; }

    /// <summary>Happens once, right after snapshots have been removed.</summary>
    public Func<Task>? OnceRemoved { get; set; }

    public void AddTo(IServiceCollection services)
    {
        services.AddSingleton<IUserRecords>(this);
        var files = (ISnapshotStorage)services.Last(s => s.ServiceType == typeof(ISnapshotStorage)).ImplementationInstance!;
        services.AddSingleton<ISnapshotStorage>(new InterceptedStorage(files)
        {
            Before = (what, _) => FailsAtSnapshots && what is ("delete-prefix" or "put") ? FailAsync() : Task.CompletedTask,
            After = (what, _) =>
            {
                if (what is not "delete-prefix" || OnceRemoved is not { } then)
                    return Task.CompletedTask;
                OnceRemoved = null;
                return then();
            },
        });
    }

    /// <summary>Waits until it has failed.</summary>
    public Task HasFailedAsync() => AppUnderTest.WaitForAsync(() => Task.FromResult(Volatile.Read(ref _failures)), failures => failures > 0);

    /// <summary>Waits until it has failed once more, so that a try of the removal that looked before is over.</summary>
    public Task FailsAgainAsync(FakeTimeProvider clock)
    {
        var before = Volatile.Read(ref _failures);
        return AppUnderTest.WaitForAsync(
            () => Task.FromResult(Volatile.Read(ref _failures)), now => now > before, () => clock.Advance(TimeSpan.FromSeconds(10)));
    }

    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => FailAsync();

    public Task RemoveConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) => FailAsync();

    /// <summary>Does something that it does not make fail.</summary>
    public async Task SpareAsync(Func<Task> act)
    {
        _isSpared.Value = true;
        await act();
    }

    private Task FailAsync()
    {
        if (!Fails || _isSpared.Value)
            return Task.CompletedTask;
        Interlocked.Increment(ref _failures);
        throw new IOException("storage is away");
    }
}
