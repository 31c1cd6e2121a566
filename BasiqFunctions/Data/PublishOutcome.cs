namespace BasiqFunctions.Data;

/// <summary>What became of a publication.</summary>
public enum PublishOutcome
{
    /// <summary>The user's current snapshot holds what the sync fetched.</summary>
    Published,

    /// <summary>This very publication was made before; nothing changed.</summary>
    AlreadyPublished,

    /// <summary>
    /// Nothing of it was taken: newer syncs published every one of its connections, or the connections were removed.
    /// </summary>
    Superseded,

    /// <summary>
    /// Nothing of it was taken: some accounts were fetched in part, beside transactions that are not those of the snapshot any more. Fetch
    /// these accounts whole and publish again.
    /// </summary>
    Outdated,
}
