using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Records;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Connections.Outages;

/// <summary>Who is affected by the outage of a bank: a row in the bank's partition, and one in the user's that leads to it.</summary>
public sealed class OutageNotes([FromKeyedServices(ConnectionOptions.Section)] IRecordTable table)
{
    /// <summary>What the names of the users' rows begin with.</summary>
    internal const string Prefix = "outage.";

    /// <summary>Notes that a connection is affected, and has the bank be watched.</summary>
    internal async Task AddAsync(DurableTaskClient client, BankWay bank, UserId userId, ConnectionId connectionId, CancellationToken cancellation)
    {
        var affected = new AffectedConnection(userId, connectionId);
        await table.TryAddAsync(new TableRecord(UserOf(userId), Prefix + connectionId, Encoding.UTF8.GetBytes(bank.Key)), cancellation);
        var isNew = await table.TryAddAsync(new TableRecord(PartitionOf(bank.Key), RowOf(affected), affected.ToContent()), cancellation) is not null;
        await WatchAsync(client, bank, isNew, cancellation);
    }

    /// <summary>Some of those who are affected: who has not been told, or everybody.</summary>
    internal async Task<IReadOnlyList<AffectedConnection>> ListAsync(BankWay bank, bool untold, int limit, CancellationToken cancellation)
    {
        List<AffectedConnection> found = [];
        await foreach (var record in table.ListAllAsync(PartitionOf(bank.Key), cancellation))
        {
            if (record.Damage is null && record.Read<AffectedConnection>() is var affected && !(untold && affected.IsTold))
                found.Add(affected);
            if (found.Count == limit)
                break;
        }

        return found;
    }

    /// <summary>Notes that somebody has been told, unless the note has been removed meanwhile.</summary>
    internal async Task ToldAsync(BankWay bank, AffectedConnection affected, CancellationToken cancellation)
    {
        if (await table.FindAsync(PartitionOf(bank.Key), RowOf(affected), cancellation) is { } found)
            await table.TryReplaceAsync(found with { Content = (affected with { IsTold = true }).ToContent() }, cancellation);
    }

    /// <summary>Removes a note.</summary>
    internal async Task RemoveAsync(string bankKey, AffectedConnection affected, CancellationToken cancellation)
    {
        await table.RemoveAsync(PartitionOf(bankKey), RowOf(affected), cancellation);
        await table.RemoveAsync(UserOf(affected.UserId), Prefix + affected.ConnectionId, cancellation);
    }

    /// <summary>Removes what a row of the user's leads to.</summary>
    internal Task RemoveAsync(UserId userId, TableRecord record, CancellationToken cancellation) => RemoveAsync(
        Encoding.UTF8.GetString(record.Content), new AffectedConnection(userId, new(record.Row[Prefix.Length..])), cancellation);

    /// <summary>Has a bank be watched, or whoever watches it look for new notes. Of an old note, too: whoever made it may have died before this.</summary>
    private static async Task WatchAsync(DurableTaskClient client, BankWay bank, bool isNew, CancellationToken cancellation)
    {
        var instanceId = OutageOrchestration.InstanceIdFor(bank);
        if (await client.GetInstanceAsync(instanceId, cancellation) is not { IsCompleted: false })
        {
            try
            {
                await client.ScheduleNewOrchestrationInstanceAsync(OutageOrchestration.Name, bank, new StartOrchestrationOptions(instanceId), cancellation);
                return;
            }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether one runs decides.
            catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
            {
                if (await client.GetInstanceAsync(instanceId, cancellation) is not { IsCompleted: false })
                    throw;
            }
        }

        if (isNew)
            await client.RaiseEventAsync(instanceId, OutageOrchestration.AffectedEvent, (object?)null, cancellation);
    }

    private static string PartitionOf(string bankKey) => $"outage-{bankKey}";

    private static string UserOf(UserId userId) => $"user-{userId}";

    private static string RowOf(AffectedConnection affected) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{affected.UserId}/{affected.ConnectionId}")).AsSpan(0, 16));
}

/// <summary>A connection that an outage affects.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="IsTold">Whether that has been told.</param>
public sealed record AffectedConnection(
    [property: JsonPropertyName("userId")] UserId UserId,
    [property: JsonPropertyName("connectionId")] ConnectionId ConnectionId,
    [property: JsonPropertyName("isTold")] bool IsTold = false);
