using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

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
