using System.Collections.Frozen;
using System.Text.Json;

namespace BasiqFunctions.Basiq;

/// <summary>How a call to Basiq ended, as telemetry names it.</summary>
internal static class BasiqOutcome
{
    private static readonly FrozenDictionary<BasiqFailureKind, string> Names = Enum.GetValues<BasiqFailureKind>()
        .ToFrozenDictionary(kind => kind, kind => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString()));

    /// <summary>The failure's kind, such as <c>not-found</c>.</summary>
    internal static string Of(BasiqFailureKind kind) => Names[kind];
}
