using System.Diagnostics.CodeAnalysis;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>What is remembered of the first request with a key.</summary>
/// <param name="Id">Name of the record, <see cref="IdempotencyKey.Id"/>.</param>
/// <param name="Fingerprint">What the request was, <see cref="IdempotencyKey.FingerprintOf"/>.</param>
/// <param name="Claim">Random: which run of which instance this is of.</param>
/// <param name="State">How far it has come.</param>
/// <param name="LeaseUntil">Until then one that is running is taken for alive.</param>
/// <param name="ExpiresAt">From then on it counts for nothing.</param>
internal sealed record IdempotencyRecord(
    string Id, string Fingerprint, string Claim, IdempotencyState State, DateTimeOffset LeaseUntil, DateTimeOffset ExpiresAt)
{
    /// <summary>The most that is kept of an answer, in bytes.</summary>
    public const int MaxAnswerBytes = 60 * 1024;

    /// <summary>The user whose deletion removes it; null while there is none.</summary>
    public UserId? UserId { get; init; }

    /// <summary>The answer, sealed where it is personal; null when there is none, or it was too large.</summary>
    [SuppressMessage("Performance", "CA1819", Justification = "Tables take and give it as it is.")]
    public byte[]? Answer { get; init; }

    /// <summary>Which version of the record this is; null of one that has not been stored.</summary>
    public string? ETag { get; init; }
}

/// <summary>How far the first request with a key has come.</summary>
internal enum IdempotencyState
{
    /// <summary>Under way, or its instance died.</summary>
    Running = 0,

    /// <summary>Answered; every further one gets the same answer.</summary>
    Answered = 1,

    /// <summary>It may have been carried out, and nobody can tell: it is not sent again.</summary>
    OutcomeUnknown = 2,
}
