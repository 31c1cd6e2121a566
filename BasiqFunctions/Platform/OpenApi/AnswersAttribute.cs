namespace BasiqFunctions.Platform.OpenApi;

/// <summary>An answer of a function that succeeded, for the description of the API.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="body">What the JSON body is of; null for none.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class AnswersAttribute(int status, Type? body = null) : Attribute
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What the JSON body is of; null for none.</summary>
    public Type? Body { get; } = body;

    /// <summary>Names of the headers that come with it.</summary>
    public string[] Headers { get; init; } = [];
}
