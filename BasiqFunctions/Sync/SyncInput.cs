namespace BasiqFunctions.Sync;

/// <summary>What a sync's orchestration is started with.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Jobs">The jobs to follow, as they stood at the start.</param>
/// <param name="Settings">
/// The settings at the start: an orchestration keeps them for life, since replay with others would ask for other timers.
/// </param>
public sealed record SyncInput(string UserId, IReadOnlyList<SyncedJob> Jobs, SyncOptions Settings);
