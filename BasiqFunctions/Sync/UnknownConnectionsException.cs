namespace BasiqFunctions.Sync;

/// <summary>Some of the connections that a sync was asked for do not exist, or are not the user's.</summary>
public sealed class UnknownConnectionsException(IReadOnlyList<string> connectionIds)
    : Exception($"{connectionIds.Count} of the connections do not exist or are not this user's.")
{
    /// <summary>The connections.</summary>
    public IReadOnlyList<string> ConnectionIds { get; } = connectionIds;
}
