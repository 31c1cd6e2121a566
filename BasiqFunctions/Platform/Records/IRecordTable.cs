namespace BasiqFunctions.Platform.Records;

/// <summary>
/// A table of small records that all instances of the app share. Every change but a removal by name has a condition, so that of
/// instances that race one wins. A failure is an exception of the storage's own.
/// </summary>
/// <remarks>
/// A storage client repeats a request whose answer was lost, and may then meet its own change: a condition that does not hold says
/// that there is another version, not whose.
/// </remarks>
public interface IRecordTable
{
    /// <summary>Finds a record, expired or not; null when there is none.</summary>
    Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation);

    /// <summary>Adds a record. Returns it with its etag; null when there is one of that name, expired or not.</summary>
    Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation);

    /// <summary>Replaces the version that the record's etag names. Returns it with its new etag; null when that version is gone.</summary>
    Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation);

    /// <summary>Removes the version that the record's etag names; false when that is gone.</summary>
    Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation);

    /// <summary>Removes a record of whatever version, in one step; false when there is none.</summary>
    Task<bool> RemoveAsync(string partition, string row, CancellationToken cancellation);

    /// <summary>Lists records of a partition, expired ones too, in the ordinal order of their rows.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="limit">The most that are listed.</param>
    /// <param name="after">The row after which to begin; null for the beginning.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation);
}

/// <summary>The tables of the host that runs the app.</summary>
public interface IRecordTables
{
    /// <summary>Opens a table, which is made on first use.</summary>
    /// <param name="name">3 to 63 ASCII letters and digits, a letter first.</param>
    IRecordTable Open(string name);
}
