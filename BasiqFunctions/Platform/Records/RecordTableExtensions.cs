using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace BasiqFunctions.Platform.Records;

/// <summary>What callers of tables would otherwise each write themselves.</summary>
internal static class RecordTableExtensions
{
    private const int PageSize = 500;
    private const int MaxAttempts = 100;

    /// <summary>A value as a record's content.</summary>
    public static byte[] ToContent<T>(this T value, JsonTypeInfo<T>? type = null) => JsonSerializer.SerializeToUtf8Bytes(value, type ?? AppJson.Of<T>());

    /// <summary>The value that <see cref="ToContent"/> was given.</summary>
    /// <exception cref="JsonException">The content is something else.</exception>
    public static T Read<T>(this TableRecord record, JsonTypeInfo<T>? type = null)
        where T : class =>
        JsonSerializer.Deserialize(record.Content, type ?? AppJson.Of<T>()) ?? throw new JsonException("The content of a record is null.");

    /// <summary>All records of a partition, some at a time.</summary>
    public static async IAsyncEnumerable<TableRecord> ListAllAsync(
        this IRecordTable table, string partition, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        string? after = null;
        while (true)
        {
            var page = await table.ListAsync(partition, PageSize, after, cancellation);
            foreach (var record in page)
                yield return record;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Row;
        }
    }

    /// <summary>Stores a record whether or not there is one of its name.</summary>
    public static async Task<TableRecord> PutAsync(this IRecordTable table, TableRecord record, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var found = await table.FindAsync(record.Partition, record.Row, cancellation);
            var stored = found is null
                ? await table.TryAddAsync(record, cancellation)
                : await table.TryReplaceAsync(record with { ETag = found.ETag }, cancellation);
            if (stored is not null)
                return stored;
        }

        throw new InvalidOperationException($"A record of '{record.Partition}' changed {MaxAttempts} times while it was being stored.");
    }

    /// <summary>Removes a record unless it says something else than what is to go; false when there is none that does.</summary>
    /// <param name="table">The table.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="row">The row.</param>
    /// <param name="unless">Whether a record that was found is to stay after all.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<bool> RemoveUnlessAsync(
        this IRecordTable table, string partition, string row, Predicate<TableRecord> unless, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await table.FindAsync(partition, row, cancellation) is not { } found || unless(found))
                return false;
            if (await table.TryRemoveAsync(found, cancellation))
                return true;
        }

        throw new InvalidOperationException($"A record of '{partition}' changed {MaxAttempts} times while it was being removed.");
    }

    /// <summary>Removes every record of a partition, and returns how many those were.</summary>
    public static async Task<int> RemovePartitionAsync(this IRecordTable table, string partition, CancellationToken cancellation)
    {
        var removed = 0;
        await foreach (var record in table.ListAllAsync(partition, cancellation))
        {
            if (await table.RemoveAsync(partition, record.Row, cancellation))
                removed++;
        }

        return removed;
    }
}
