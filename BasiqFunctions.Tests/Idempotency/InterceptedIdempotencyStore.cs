using BasiqFunctions.Idempotency;

namespace BasiqFunctions.Tests.Idempotency;

/// <summary>A store in which a test can let something happen right before or after a step, or make the step fail.</summary>
internal sealed class InterceptedIdempotencyStore(IIdempotencyStore inner) : IIdempotencyStore
{
    /// <summary>Called with the step's name; what it throws, the step throws.</summary>
    public Func<string, Task>? Before { get; set; }

    public Func<string, Task>? After { get; set; }

    /// <summary>Makes a step that succeeded look as if it had not, as when its answer is lost and the storage client repeats it.</summary>
    public Func<string, bool> LosesAnswerOf { get; set; } = _ => false;

    public Task<IdempotencyRecord?> FindAsync(string id, CancellationToken cancellation) =>
        AroundAsync("find", () => inner.FindAsync(id, cancellation));

    public Task<IdempotencyRecord?> TryAddAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        AroundAsync("add", () => inner.TryAddAsync(record, cancellation));

    public Task<IdempotencyRecord?> TryReplaceAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        AroundAsync("replace", () => inner.TryReplaceAsync(record, cancellation));

    public Task<bool> TryRemoveAsync(IdempotencyRecord record, CancellationToken cancellation) =>
        AroundAsync("remove", () => inner.TryRemoveAsync(record, cancellation));

    public Task RemoveOfUserAsync(string userId, CancellationToken cancellation) => inner.RemoveOfUserAsync(userId, cancellation);

    public Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation) => inner.RemoveExpiredAsync(now, cancellation);

    private async Task<T?> AroundAsync<T>(string step, Func<Task<T>> run)
    {
        if (Before is not null)
            await Before(step);
        var result = await run();
        if (After is not null)
            await After(step);
        return LosesAnswerOf(step) ? default : result;
    }
}
