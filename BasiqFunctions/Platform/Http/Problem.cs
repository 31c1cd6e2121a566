using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>The error answers of the app, one way to make each.</summary>
internal static class Problem
{
    /// <summary>Any other than the ones below.</summary>
    public static ProblemResult Of(int status, string code, string detail) => new(status, code, detail);

    /// <summary>400 <c>invalid-input</c>, naming every field that is wrong.</summary>
    public static ProblemResult InvalidInput(FieldErrors errors) =>
        new(StatusCodes.Status400BadRequest, ProblemCodes.InvalidInput, $"Not acceptable: {string.Join(", ", errors.Fields.Keys)}.") { Errors = errors };

    /// <summary>400 <c>invalid-input</c> for one field.</summary>
    public static ProblemResult InvalidInput(string field, string message)
    {
        var errors = new FieldErrors();
        errors.Add(field, message);
        return InvalidInput(errors);
    }

    /// <summary>404 with the code of what there is none of.</summary>
    public static ProblemResult NotFound(string code, string detail) => new(StatusCodes.Status404NotFound, code, detail);

    /// <summary>409.</summary>
    public static ProblemResult Conflict(string code, string detail) => new(StatusCodes.Status409Conflict, code, detail);
}
