namespace BasiqFunctions.Sync;

/// <summary>Some of the jobs that a sync was asked for do not exist, or are not the user's.</summary>
public sealed class UnknownJobsException(IReadOnlyList<string> jobIds)
    : Exception($"{jobIds.Count} of the jobs do not exist or are not this user's.")
{
    /// <summary>The jobs.</summary>
    public IReadOnlyList<string> JobIds { get; } = jobIds;
}
