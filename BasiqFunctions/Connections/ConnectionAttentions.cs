using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Connections;

/// <summary>Keeps which connections need somebody.</summary>
public sealed class ConnectionAttentions(IRecordTable table)
{
    private const string Prefix = "attention.";

    /// <summary>The connections of a user that need somebody.</summary>
    public async Task<IReadOnlyList<ConnectionAttention>> ListAsync(string userId, CancellationToken cancellation) =>
        [
            .. from record in await table.ListAllAsync(PartitionOf(userId), cancellation).ToListAsync(cancellation)
               where record.Row.StartsWith(Prefix, StringComparison.Ordinal)
               select record.Read(ConnectionsJson.Default.ConnectionAttention),
        ];

    internal Task MarkAsync(ConnectionAttention matter, string userId, CancellationToken cancellation) =>
        table.PutAsync(
            new TableRecord(PartitionOf(userId), Prefix + matter.ConnectionId, matter.ToContent(ConnectionsJson.Default.ConnectionAttention)), cancellation);

    internal Task ClearAsync(string userId, string connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(PartitionOf(userId), Prefix + connectionId, cancellation);

    private static string PartitionOf(string userId) => $"user-{userId}";
}

/// <summary>What is the matter with a connection.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="NextAction">What to do about it.</param>
/// <param name="Since">Since when.</param>
public sealed record ConnectionAttention(
    [property: JsonPropertyName("connectionId")] string ConnectionId,
    [property: JsonPropertyName("nextAction")] NextAction NextAction,
    [property: JsonPropertyName("since")] DateTimeOffset Since);
