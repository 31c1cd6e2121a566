namespace BasiqFunctions.Platform.Http;

/// <summary>Ends a request with a problem that has been decided on; <see cref="HttpAnswers"/> turns it into the answer.</summary>
internal sealed class ProblemException(ProblemResult problem) : Exception($"The request ends with the problem {problem.Code}.")
{
    /// <summary>The answer.</summary>
    public ProblemResult Problem { get; } = problem;
}
