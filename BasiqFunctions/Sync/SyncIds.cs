using System.Security.Cryptography;
using System.Text;

namespace BasiqFunctions.Sync;

/// <summary>
/// The ids of syncs, which are those of their orchestrations. One follows from the user and the jobs, the connections or the event, so that
/// asking twice for the same sync finds the first one, and a user's syncs share a prefix.
/// </summary>
public static class SyncIds
{
    /// <summary>What the ids of all syncs begin with.</summary>
    internal const string Prefix = "sync-";

    /// <summary>The id of the sync of these jobs; their order and repetitions make no difference. One of the whole history is another one.</summary>
    public static SyncId For(UserId userId, IEnumerable<JobId> jobIds, bool isFull = false) =>
        new(PrefixFor(userId) + Digest((isFull ? "full\n" : "") + string.Join('\n', jobIds.Select(id => id.Value).Distinct().Order(StringComparer.Ordinal))));

    /// <summary>The id of the sync that an event about a connection brings about.</summary>
    public static SyncId ForNews(UserId userId, ConnectionId connectionId, string eventId) =>
        new(PrefixFor(userId) + Digest($"news\n{connectionId}\n{eventId}"));

    /// <summary>The id of the sync of what Basiq has of these connections, in the same way.</summary>
    public static SyncId ForConnections(UserId userId, IEnumerable<ConnectionId> connectionIds, bool isFull = false) =>
        new(PrefixFor(userId) + Digest((isFull ? "full\n" : "") + "connections\n" + string.Join('\n', connectionIds.Select(id => id.Value).Distinct().Order(StringComparer.Ordinal))));

    /// <summary>What the ids of all of a user's syncs begin with.</summary>
    public static string PrefixFor(UserId userId) => $"{Prefix}{Digest(userId)}-";

    private static string Digest(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
