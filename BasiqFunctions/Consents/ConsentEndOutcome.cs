namespace BasiqFunctions.Consents;

/// <summary>What came of the end of a consent.</summary>
public enum ConsentEndOutcome
{
    /// <summary>Everything that was kept of the user is gone.</summary>
    Removed,

    /// <summary>Nothing was kept of the user.</summary>
    NothingKept,

    /// <summary>The user has another consent that is active; what it does not cover is gone.</summary>
    StillConsented,
}
