using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Sync;

/// <summary>Some of the connections that a sync was asked for do not exist, or are not the user's.</summary>
public sealed class UnknownConnectionsException(IReadOnlyList<string> connectionIds)
    : Exception($"{connectionIds.Count} of the connections do not exist or are not this user's."), IProblem
{
    /// <summary>The connections.</summary>
    public IReadOnlyList<string> ConnectionIds { get; } = connectionIds;

    ProblemResult IProblem.ToProblem()
    {
        var errors = new FieldErrors();
        errors.Add("connectionIds", $"has connections that are unknown: {string.Join(", ", ConnectionIds)}.");
        return Problem.NotFound(ProblemCodes.ConnectionNotFound, "Some of the connections do not exist, or are not this user's.") with { Errors = errors };
    }
}
