using System.Text.RegularExpressions;

namespace BasiqFunctions.Storage;

/// <summary>How a table may be named (Microsoft Learn, "Understanding the Table service data model").</summary>
internal static partial class RecordTableName
{
    /// <summary>The rule, for whoever has broken it.</summary>
    public const string Rule = "must have 3 to 63 letters and digits, a letter first";

    /// <summary>Whether a table may have the name.</summary>
    public static bool IsValid(string? name) => name is not null && Name().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9]{2,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
