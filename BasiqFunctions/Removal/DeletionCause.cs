namespace BasiqFunctions.Removal;

/// <summary>Why data is removed.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="ConsentId">The consent that ended, where one did.</param>
public sealed record DeletionCause(DeletionReason Reason, string? ConsentId = null);
