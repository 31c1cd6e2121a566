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

/// <summary>What is wrong with which field of a request, in the order found. The texts never quote what was sent.</summary>
internal sealed class FieldErrors
{
    private readonly OrderedDictionary<string, List<string>> _fields = new(StringComparer.Ordinal);

    public int Count => _fields.Count;

    public IReadOnlyDictionary<string, List<string>> Fields => _fields;

    public void Add(string field, string message)
    {
        if (!_fields.TryGetValue(field, out var messages))
            _fields.Add(field, [message]);
        else if (!messages.Contains(message))
            messages.Add(message);
    }
}

/// <summary>An exception that says what it is to our caller.</summary>
internal interface IProblem
{
    /// <summary>Why, as a code.</summary>
    string Code => ToProblem().Code;

    /// <summary>What is logged of it where this app or Basiq is at fault; null where that is logged elsewhere.</summary>
    string? Logged => null;

    /// <summary>The answer.</summary>
    ProblemResult ToProblem();
}

/// <summary>Ends a request with a problem that has been decided on; <see cref="HttpAnswers"/> turns it into the answer.</summary>
internal sealed class ProblemException(ProblemResult problem) : Exception($"The request ends with the problem {problem.Code}.")
{
    /// <summary>The answer.</summary>
    public ProblemResult Problem { get; } = problem;
}
