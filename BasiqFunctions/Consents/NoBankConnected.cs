using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>ConsentReturn's answer for a person who connected no bank: there is nothing to sync.</summary>
/// <param name="Error">Always <c>no-bank-connected</c>, the word that a return URL gets in its query.</param>
public sealed record NoBankConnected([property: JsonPropertyName("error")] string Error)
{
    /// <summary>What it says.</summary>
    internal const string Code = "no-bank-connected";
}
