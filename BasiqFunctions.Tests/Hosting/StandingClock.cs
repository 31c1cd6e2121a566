using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>What lives by a clock that moves only when a test moves it.</summary>
internal static class StandingClock
{
    private static readonly TimeSpan Unaided = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Disposes of something, letting time pass if that takes longer. Its resilience pipelines wait up to half a minute for calls that
    /// are under way, by its clock: a call that nobody waited for, such as a timer's, would have it wait for ever.
    /// </summary>
    public static async Task DisposeByAsync(this IAsyncDisposable disposable, FakeTimeProvider clock)
    {
        var disposing = disposable.DisposeAsync().AsTask();
        await Task.WhenAny(disposing, Task.Delay(Unaided));
        while (!disposing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(disposing, Task.Delay(10));
        }

        await disposing;
    }
}
