namespace BasiqFunctions.Platform.Http;

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
