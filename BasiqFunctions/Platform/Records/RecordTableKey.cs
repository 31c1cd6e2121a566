namespace BasiqFunctions.Platform.Records;

/// <summary>That there is a table, by what its feature calls it.</summary>
internal sealed record RecordTableKey(string Key);
