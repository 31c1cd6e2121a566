namespace BasiqFunctions.Basiq;

/// <summary>What went wrong with a call to Basiq, as far as a caller would act on it.</summary>
public enum BasiqFailureKind
{
    /// <summary>None of the others.</summary>
    Other,

    /// <summary>404: no such user, job, connection, account or consent.</summary>
    NotFound,

    /// <summary>400 or 422: Basiq refused what was sent; <see cref="BasiqFailure.Sources"/> name the fields.</summary>
    Invalid,

    /// <summary>401 that another token or key did not heal.</summary>
    Unauthorized,

    /// <summary>403 that is not an overload: the API key lacks a permission.</summary>
    Forbidden,

    /// <summary>429, or 403 that means the same: too many requests; or our own limit, so that it does not come to that.</summary>
    Overloaded,

    /// <summary>5xx, no connection, or the circuit breaker is open.</summary>
    Unavailable,

    /// <summary>No answer within the configured time, or Basiq's gateway said so.</summary>
    Timeout,

    /// <summary>An answer that is cut short, empty, not JSON, of another shape, or that points elsewhere.</summary>
    UnusableAnswer,

    /// <summary>A user creation that Basiq may or may not have carried out; never send it again blindly.</summary>
    OutcomeUnknown,

    /// <summary>410: it existed and does no longer.</summary>
    Gone,
}
