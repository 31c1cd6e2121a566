namespace BasiqFunctions.Basiq.Models;

/// <summary>How far a job is, judged by its steps.</summary>
public enum JobOutcome
{
    /// <summary>No step has begun.</summary>
    Pending,

    /// <summary>Some step has begun and none has failed.</summary>
    InProgress,

    /// <summary>Every step has succeeded.</summary>
    Succeeded,

    /// <summary>A step has failed.</summary>
    Failed,
}
