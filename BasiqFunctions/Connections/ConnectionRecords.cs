using BasiqFunctions.Connections.Outages;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Connections;

/// <summary>What is kept of a user's connections beside their data lies in one partition, and goes with the user or the connection.</summary>
internal sealed class ConnectionRecords([FromKeyedServices(ConnectionOptions.Section)] IRecordTable table, OutageNotes outages) : IUserRecords
{
    /// <inheritdoc />
    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => RemoveAsync(userId, _ => true, cancellation);

    /// <inheritdoc />
    public Task RemoveConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) => RemoveAsync(
        userId,
        row => row == ConnectionStates.Row || row == OutageNotes.Prefix + connectionId || row.StartsWith($"{VisitBudget.Prefix}{connectionId}.", StringComparison.Ordinal),
        cancellation);

    private async Task RemoveAsync(UserId userId, Predicate<string> isGoing, CancellationToken cancellation)
    {
        await foreach (var record in table.ListAllAsync($"user-{userId}", cancellation))
        {
            if (!isGoing(record.Row))
                continue;

            // What the bank's partition has of it goes first, so that whoever is interrupted finds the way there.
            if (record.Row.StartsWith(OutageNotes.Prefix, StringComparison.Ordinal))
                await outages.RemoveAsync(userId, record, cancellation);
            await table.RemoveAsync(record.Partition, record.Row, cancellation);
        }
    }
}
