using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Connections;

/// <summary>Keeps which connections need somebody.</summary>
public sealed class ConnectionAttentions(IRecordTable table)
{
    private const string Prefix = "attention.";

    /// <summary>The connections of a user that need somebody.</summary>
    public async Task<IReadOnlyList<ConnectionAttention>> ListAsync(UserId userId, CancellationToken cancellation) =>
        [
            .. from record in await table.ListAllAsync(PartitionOf(userId), cancellation).ToListAsync(cancellation)
               where record.Row.StartsWith(Prefix, StringComparison.Ordinal)
               let kept = record.Read<KeptAttention>()
               where kept.NextAction is not null
               select new ConnectionAttention(kept.ConnectionId, kept.NextAction!.Value, kept.Since),
        ];

    /// <summary>Notes that a connection needs somebody.</summary>
    /// <returns>Whether that is news: false where something else has noted the same.</returns>
    internal async Task<bool> MarkAsync(
        UserId userId, ConnectionId connectionId, NextAction nextAction, DateTimeOffset since, string cause, CancellationToken cancellation)
    {
        if (await FindAsync(userId, connectionId, cancellation) is { } found && found.Read<KeptAttention>() is var before && before.NextAction == nextAction)
            return before.Cause == cause;
        await table.PutAsync(
            new TableRecord(PartitionOf(userId), Prefix + connectionId, new KeptAttention(connectionId, nextAction, since, cause).ToContent()), cancellation);
        return true;
    }

    /// <summary>
    /// Notes that a connection works. That stays noted, so that whoever was interrupted still learns that it was news; where somebody removes
    /// the note meanwhile, none is made. Where it waits for what is given, or has needed somebody only since later than is given, it goes on doing so.
    /// </summary>
    /// <returns>Whether that is news: false where it needed nobody, or something else has noted that it does not any more.</returns>
    internal async Task<bool> ClearAsync(
        UserId userId, ConnectionId connectionId, DateTimeOffset since, string cause, CancellationToken cancellation, NextAction? unless = null, DateTimeOffset? until = null)
    {
        while (await FindAsync(userId, connectionId, cancellation) is { } found)
        {
            var before = found.Read<KeptAttention>();
            if (before.NextAction is null)
                return before.Cause == cause;
            if (before.NextAction == unless || before.Since > until)
                return false;
            if (await table.TryReplaceAsync(found with { Content = new KeptAttention(connectionId, null, since, cause).ToContent() }, cancellation) is not null)
                return true;
        }

        return false;
    }

    /// <summary>Removes what is noted of a connection.</summary>
    internal Task RemoveAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) =>
        table.RemoveAsync(PartitionOf(userId), Prefix + connectionId, cancellation);

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    private Task<TableRecord?> FindAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) =>
        table.FindAsync(PartitionOf(userId), Prefix + connectionId, cancellation);
}

/// <summary>What is the matter with a connection.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="NextAction">What to do about it.</param>
/// <param name="Since">Since when.</param>
public sealed record ConnectionAttention(
    [property: JsonPropertyName("connectionId")] ConnectionId ConnectionId,
    [property: JsonPropertyName("nextAction")] NextAction NextAction,
    [property: JsonPropertyName("since")] DateTimeOffset Since)
{
    /// <summary>What CreateConsentLink takes to bring the person where it is done.</summary>
    [JsonPropertyName("continueWith"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ContinueWith? ContinueWith { get; init; }
}

/// <summary>What is noted of a connection.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="NextAction">What to do about it; null once it works again.</param>
/// <param name="Since">Since when it is so.</param>
/// <param name="Cause">What noted it: an event or a message.</param>
internal sealed record KeptAttention(
    [property: JsonPropertyName("connectionId")] ConnectionId ConnectionId,
    [property: JsonPropertyName("nextAction")] NextAction? NextAction,
    [property: JsonPropertyName("since")] DateTimeOffset Since,
    [property: JsonPropertyName("cause")] string? Cause);
