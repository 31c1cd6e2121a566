using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Platform.Records;

/// <summary>Every table of the app.</summary>
public sealed class RecordTableList(IServiceProvider services)
{
    /// <summary>Each by what its feature calls it.</summary>
    public IReadOnlyList<(string Key, IRecordTable Table)> All { get; } =
        [.. services.GetServices<RecordTableKey>().Select(table => (table.Key, services.GetRequiredKeyedService<IRecordTable>(table.Key)))];
}

/// <summary>That there is a table, by what its feature calls it.</summary>
internal sealed record RecordTableKey(string Key);

/// <summary>How a table may be named (Microsoft Learn, "Understanding the Table service data model").</summary>
internal static class RecordTableName
{
    /// <summary>The rule, for whoever has broken it.</summary>
    public const string Rule = "must have 3 to 63 letters and digits, a letter first";

    /// <summary>Whether a table may have the name.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: >= 3 and <= 63 } && char.IsAsciiLetter(name[0]) && name.All(char.IsAsciiLetterOrDigit);
}
