namespace BasiqFunctions.Platform.OpenApi;

/// <summary>The JSON body that a function takes, for the description of the API.</summary>
/// <param name="body">What the body is of.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TakesAttribute(Type body) : Attribute
{
    /// <summary>What the body is of.</summary>
    public Type Body { get; } = body;

    /// <summary>Whether somebody else decides what stands in the body, so that nothing in it is refused.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Whether the body may be left out.</summary>
    public bool Optional { get; init; }

    /// <summary>Whether a field that is null counts as left out.</summary>
    public bool NullIsAbsent { get; init; }

    /// <summary>The validator whose messages say what the fields must be.</summary>
    public Type? Validator { get; init; }

    /// <summary>Names of the fields that must be there, where their type does not say so.</summary>
    public string[] Required { get; init; } = [];

    /// <summary>Names of the fields that are taken; all when empty.</summary>
    public string[] Fields { get; init; } = [];
}
