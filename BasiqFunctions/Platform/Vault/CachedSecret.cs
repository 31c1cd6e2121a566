namespace BasiqFunctions.Platform.Vault;

/// <summary>
/// A secret of Key Vault's in memory. It is read when it is due, once at a time however many ask, and for itself: a caller who leaves takes
/// the answer from nobody else. While Key Vault is away, the one in memory stays in use.
/// </summary>
/// <param name="read">Reads it; it is given the one in memory, and ends by itself.</param>
/// <param name="freshFor">How long it is used without being read again.</param>
/// <param name="leastBetweenLooks">How often one that does not fit has it read again, so that forgers do not make this ask Key Vault at will.</param>
/// <param name="clock">The clock.</param>
internal sealed class CachedSecret<T>(Func<T?, Task<T>> read, TimeSpan freshFor, TimeSpan leastBetweenLooks, TimeProvider clock)
    where T : class
{
    private readonly Lock _gate = new();
    private volatile Held? _held;
    private Task<T>? _reading;

    /// <summary>How long a caller waits for a fresh value before it is given the one in memory.</summary>
    public TimeSpan PatienceForFresh { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>The secret.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="unfit">What did not fit: it is read again, unless that was just done for the same reason.</param>
    /// <exception cref="Azure.RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public ValueTask<T> GetAsync(CancellationToken cancellation, T? unfit = null) =>
        Usable(unfit) is { } usable ? new(usable) : new(WaitAsync(unfit, cancellation));

    /// <summary>Has it read again by the next caller, after it was changed.</summary>
    public void Forget()
    {
        lock (_gate)
            (_held, _reading) = (null, null);
    }

    private async Task<T> WaitAsync(T? unfit, CancellationToken cancellation)
    {
        var reading = Read(isLook: unfit is not null);
        if (_held is not { } held || ReferenceEquals(held.Value, unfit))
            return await reading.WaitAsync(cancellation);
        try
        {
            return await reading.WaitAsync(PatienceForFresh, clock, cancellation);
        }
        catch (TimeoutException)
        {
            return held.Value;
        }
    }

    private T? Usable(T? unfit) =>
        _held is { } held
        && clock.GetElapsedTime(held.ReadAt) < freshFor
        && (!ReferenceEquals(held.Value, unfit) || (held.LookedAt is { } at && clock.GetElapsedTime(at) < leastBetweenLooks))
            ? held.Value
            : null;

    private Task<T> Read(bool isLook)
    {
        lock (_gate)
        {
            if (_reading is { IsCompleted: false } underWay)
                return underWay;
            TaskCompletionSource<T> reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _reading = reading.Task;
            _ = ReadIntoAsync(reading, isLook);
            return reading.Task;
        }
    }

#pragma warning disable CA1031 // The callers that wait get it.
    private async Task ReadIntoAsync(TaskCompletionSource<T> reading, bool isLook)
    {
        await Task.Yield();
        var readAt = clock.GetTimestamp();
        var before = _held;
        try
        {
            reading.SetResult(Hold(await read(before?.Value)));
        }
        catch (Exception exception) when (before is not null && KeyVaultErrors.IsAway(exception))
        {
            reading.SetResult(Hold(before.Value));
        }
        catch (Exception exception)
        {
            reading.SetException(exception);
        }

        T Hold(T value)
        {
            lock (_gate)
            {
                if (_reading == reading.Task)
                    _held = new Held(value, readAt, isLook ? readAt : before?.LookedAt);
            }

            return value;
        }
    }
#pragma warning restore CA1031

    private sealed record Held(T Value, long ReadAt, long? LookedAt)
    {
        /// <summary>Secrets do not belong in any text.</summary>
        public override string ToString() => nameof(Held);
    }
}
