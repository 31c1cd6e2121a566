using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Sync;

/// <summary>Some of the jobs that a sync was asked for do not exist, or are not the user's.</summary>
public sealed class UnknownJobsException(IReadOnlyList<JobId> jobIds)
    : Exception($"{jobIds.Count} of the jobs do not exist or are not this user's."), IProblem
{
    /// <summary>The jobs.</summary>
    public IReadOnlyList<JobId> JobIds { get; } = jobIds;

    ProblemResult IProblem.ToProblem()
    {
        var errors = new FieldErrors();
        errors.Add("jobIds", $"contains unknown jobs: {string.Join(", ", JobIds)}.");
        return Problem.NotFound(ProblemCodes.JobNotFound, "At least one job does not exist or belongs to another user.") with { Errors = errors };
    }
}

/// <summary>Some of the connections that a sync was asked for do not exist, or are not the user's.</summary>
public sealed class UnknownConnectionsException(IReadOnlyList<ConnectionId> connectionIds)
    : Exception($"{connectionIds.Count} of the connections do not exist or are not this user's."), IProblem
{
    /// <summary>The connections.</summary>
    public IReadOnlyList<ConnectionId> ConnectionIds { get; } = connectionIds;

    ProblemResult IProblem.ToProblem()
    {
        var errors = new FieldErrors();
        errors.Add("connectionIds", $"has connections that are unknown: {string.Join(", ", ConnectionIds)}.");
        return Problem.NotFound(ProblemCodes.ConnectionNotFound, "Some of the connections do not exist, or are not this user's.") with { Errors = errors };
    }
}
