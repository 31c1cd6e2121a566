namespace BasiqFunctions.Data;

/// <summary>Some of the top folders of a storage.</summary>
/// <param name="Names">Their names.</param>
/// <param name="Next">What to go on with; null when that was all.</param>
public sealed record SnapshotFolders(IReadOnlyList<string> Names, string? Next);
