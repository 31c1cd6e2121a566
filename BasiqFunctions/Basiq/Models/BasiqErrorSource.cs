namespace BasiqFunctions.Basiq.Models;

/// <summary>One entry of Basiq's error list: which field or parameter is meant, and what is wrong with it.</summary>
/// <param name="Code">Basiq's code, such as <c>parameter-not-valid</c>.</param>
/// <param name="Parameter">The query parameter or field, if Basiq named it.</param>
/// <param name="BodyPath">Basiq's <c>pointer</c>: the path into the request body, if Basiq named it.</param>
/// <param name="Detail">Basiq's explanation, masked as <see cref="BasiqFailure.Detail"/> is.</param>
public sealed record BasiqErrorSource(string Code, string? Parameter, string? BodyPath, string? Detail)
{
    /// <summary>The code alone: the rest is Basiq's free text.</summary>
    public override string ToString() => Code;
}
