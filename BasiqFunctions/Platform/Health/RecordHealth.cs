using BasiqFunctions.Platform.Records;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Platform.Health;

/// <summary>Whether every table can be written.</summary>
internal sealed class RecordHealth(RecordTableList tables) : IDependency
{
    public string Name => "records";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        await Task.WhenAll(tables.All.Select(table => table.Table.PutAsync(new TableRecord(HealthChecks.Probe, HealthChecks.Probe, []), cancellation)));
        return (HealthStatus.Healthy, null);
    }
}
