namespace BasiqFunctions.Platform.OpenApi;

/// <summary>The JSON body that a function takes, for the description of the API.</summary>
/// <param name="body">What the body is of.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TakesAttribute(Type body) : Attribute
{
    /// <summary>What the body is of.</summary>
    public Type Body { get; } = body;

    /// <summary>Whether another party decides what is in the body, so that nothing in it is refused.</summary>
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

/// <summary>An answer of a function that succeeded, for the description of the API.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="body">What the body is of; null for none.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class AnswersAttribute(int status, Type? body = null) : Attribute
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What the body is of; null for none.</summary>
    public Type? Body { get; } = body;

    /// <summary>The body's type.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>Names of the headers that come with it.</summary>
    public string[] Headers { get; init; } = [];
}

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
