using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Storage;

/// <summary>Removes expired records from every table of the app.</summary>
public sealed class ExpiredRecords(RecordTableList tables, TimeProvider clock, ILogger<ExpiredRecords> logger)
{
    /// <summary>Removes them; a table that fails does not keep the others from their turn.</summary>
    /// <exception cref="AggregateException">Some tables failed; the next run finds what they still hold.</exception>
    public async Task RemoveAsync(CancellationToken cancellation)
    {
        List<Exception> failures = [];
        foreach (var (key, table) in tables.All)
        {
            try
            {
                var count = await table.RemoveExpiredAsync(clock.GetUtcNow(), cancellation);
                if (count > 0)
                    Log.Expired(logger, count, key);
            }
#pragma warning disable CA1031 // Stores fail with exceptions of their own; all are thrown in the end.
            catch (Exception exception) when (!cancellation.IsCancellationRequested)
#pragma warning restore CA1031
            {
                failures.Add(exception);
            }
        }

        if (failures.Count > 0)
            throw new AggregateException(failures);
    }
}
