namespace BasiqFunctions.Platform.OpenApi;

/// <summary>
/// The problems (<see cref="Http.ProblemCodes"/>) of a function, beside those that follow from its route, its body and its headers,
/// for the description of the API.
/// </summary>
/// <param name="codes">The codes.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FailsWithAttribute(params string[] codes) : Attribute
{
    /// <summary>The codes.</summary>
    public string[] Codes { get; } = codes;

    /// <summary>Whether the function asks Basiq, which may be overloaded, away, or not want to.</summary>
    public bool AsksBasiq { get; init; }
}
