namespace BasiqFunctions.Removal;

/// <summary>What came of the end of a consent.</summary>
/// <param name="Outcome">What it was.</param>
/// <param name="Removals">What was removed, or is being removed.</param>
/// <param name="IsComplete">
/// False while Basiq contradicts what it told: it lists a user whom it has deleted, or calls a consent active that should have ended by
/// its date. Then call again a little later.
/// </param>
public sealed record EnforcementResult(EnforcementOutcome Outcome, IReadOnlyList<RemovalAsked> Removals, bool IsComplete)
{
    /// <summary>When the first of the consents in force ends, where Basiq says so.</summary>
    public DateTimeOffset? NextEnd { get; init; }

    /// <summary>Whether something is kept of a user who has a consent in force.</summary>
    public bool IsAnythingKept { get; init; }

    /// <summary>A removal that has not ended yet, if there is one.</summary>
    public RemovalAsked? UnderWay => Removals.FirstOrDefault(removal => !removal.HasEnded);
}
