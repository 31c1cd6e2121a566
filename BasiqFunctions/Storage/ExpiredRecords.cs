using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Storage;

/// <summary>Removes expired records from every table of the app.</summary>
public sealed class ExpiredRecords
{
    private readonly (string Key, IRecordTable Table)[] _tables;
    private readonly TimeProvider _clock;
    private readonly ILogger<ExpiredRecords> _logger;

    /// <summary>Finds the tables; the container makes it.</summary>
    public ExpiredRecords(IServiceProvider services, TimeProvider clock, ILogger<ExpiredRecords> logger)
    {
        _tables = [.. services.GetServices<RecordTableKey>().Select(table => (table.Key, services.GetRequiredKeyedService<IRecordTable>(table.Key)))];
        (_clock, _logger) = (clock, logger);
    }

    /// <summary>Removes them; a table that fails does not keep the others from their turn.</summary>
    /// <exception cref="AggregateException">Some tables failed; the next run finds what they still hold.</exception>
    public async Task RemoveAsync(CancellationToken cancellation)
    {
        List<Exception> failures = [];
        foreach (var (key, table) in _tables)
        {
            try
            {
                var count = await table.RemoveExpiredAsync(_clock.GetUtcNow(), cancellation);
                if (count > 0)
                    Log.Expired(_logger, count, key);
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
