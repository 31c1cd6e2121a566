using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

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
    /// <summary>The consents in force.</summary>
    public IReadOnlyList<Consent> InForce { get; init; } = [];

    /// <summary>Whether something is kept of a user who has a consent in force.</summary>
    public bool IsAnythingKept { get; init; }

    /// <summary>A removal that has not ended yet, if there is one.</summary>
    public RemovalAsked? UnderWay => Removals.FirstOrDefault(removal => !removal.HasEnded);
}

/// <summary>What came of the end of a consent.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EnforcementOutcome>))]
public enum EnforcementOutcome
{
    /// <summary>Everything that was kept of the user is gone.</summary>
    Removed,

    /// <summary>Nothing was kept of the user.</summary>
    NothingKept,

    /// <summary>The user has another consent that is active; what it does not cover is gone.</summary>
    StillConsented,

    /// <summary>
    /// Basiq does not know the user, and nobody has said that it was deleted: nothing was removed, for Basiq says the same with the API
    /// key of another application.
    /// </summary>
    UserUnknown,

    /// <summary>Basiq lists no consent of the user and no connection that works, and nobody has named one that ended: nothing was removed.</summary>
    NothingListed,
}
