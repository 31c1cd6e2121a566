namespace BasiqFunctions.Platform.OpenApi;

/// <summary>A query parameter or header that a function takes, for the description of the API.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it says.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class ParameterAttribute(string name, string description) : Attribute
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>What it says.</summary>
    public string Description { get; } = description;

    /// <summary>Whether it is a header; else it stands in the query.</summary>
    public bool IsHeader { get; init; }

    /// <summary>Whether it must be given.</summary>
    public bool Required { get; init; }

    /// <summary>Its value: <see cref="string"/>, <see cref="int"/>, <see cref="DateOnly"/> or an enum.</summary>
    public Type Type { get; init; } = typeof(string);

    /// <summary>The most that a number may be; 0 for no limit.</summary>
    public int Maximum { get; init; }
}
