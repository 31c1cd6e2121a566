namespace BasiqFunctions.Platform.Idempotency;

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
