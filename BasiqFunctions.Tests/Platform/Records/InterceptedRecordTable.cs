using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Tests.Platform.Records;

/// <summary>A table in which a test can let something happen right before or after a step, or make the step fail.</summary>
internal sealed class InterceptedRecordTable(IRecordTable inner) : IRecordTable
{
    /// <summary>Which records' steps are watched; all of them unless a test says otherwise.</summary>
    public Func<string, string, bool> Watches { get; set; } = (_, _) => true;

    /// <summary>Called with the step's name; what it throws, the step throws.</summary>
    public Func<string, Task>? Before { get; set; }

    public Func<string, Task>? After { get; set; }

    /// <summary>Makes a step that succeeded look as if it had not, as when its answer is lost and the storage client repeats it.</summary>
    public Func<string, bool> LosesAnswerOf { get; set; } = _ => false;

    public Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation) =>
        AroundAsync("find", partition, row, () => inner.FindAsync(partition, row, cancellation));

    public Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation) =>
        AroundAsync("add", record.Partition, record.Row, () => inner.TryAddAsync(record, cancellation));

    public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) =>
        AroundAsync("replace", record.Partition, record.Row, () => inner.TryReplaceAsync(record, cancellation));

    public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) =>
        AroundAsync("remove", record.Partition, record.Row, () => inner.TryRemoveAsync(record, cancellation));

    public Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation) =>
        AroundAsync("remove", partition, row, () => inner.RemoveAsync(partition, row, cancellation));

    public Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation) =>
        inner.ListAsync(partition, limit, after, cancellation);

    private async Task<T?> AroundAsync<T>(string step, string partition, string row, Func<Task<T>> run)
    {
        if (!Watches(partition, row))
            return await run();
        if (Before is not null)
            await Before(step);
        var result = await run();
        if (After is not null)
            await After(step);
        return LosesAnswerOf(step) ? default : result;
    }
}
