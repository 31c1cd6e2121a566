using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>A fake clock that can be waited on until the code under test waits on it.</summary>
internal sealed class WatchedClock() : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _dueTimes = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_gate)
        {
            _dueTimes.Add(dueTime);
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return timer;
    }

    /// <summary>Completes once a timer of exactly this length has been started.</summary>
    public async Task WaitForTimerAsync(TimeSpan dueTime)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_dueTimes.Contains(dueTime))
                    return;
                changed = _changed.Task;
            }

            await changed.WaitAsync(Patience);
        }
    }

    /// <summary>Lets time pass until a task has ended.</summary>
    /// <param name="task">The task.</param>
    /// <param name="step">How much at a time; less where real connections are to be made meanwhile.</param>
    public async Task RunUntilAsync(Task task, TimeSpan? step = null)
    {
        for (var round = 0; !task.IsCompleted; round++)
        {
            Assert.True(round < 20_000, "The call never ended.");
            Advance(step ?? TimeSpan.FromMilliseconds(50));
            await Task.WhenAny(task, Task.Delay(1));
        }
    }
}
