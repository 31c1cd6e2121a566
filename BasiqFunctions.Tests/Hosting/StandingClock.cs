using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>What lives by a clock that moves only when a test moves it.</summary>
internal static class StandingClock
{
    private static readonly TimeSpan Unaided = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// A clock that stands at six past this hour: minutes from when any timer function is due, whose work would come into a test's way
    /// that moves its clock by less, at some times of the day and not at others.
    /// </summary>
    public static FakeTimeProvider New()
    {
        var now = DateTimeOffset.UtcNow;
        return new FakeTimeProvider(new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 6, 0, TimeSpan.Zero));
    }

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
