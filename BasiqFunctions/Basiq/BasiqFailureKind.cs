namespace BasiqFunctions.Basiq;

/// <summary>What went wrong with a call to Basiq, as far as a caller would act on it.</summary>
public enum BasiqFailureKind
{
    /// <summary>None of the others.</summary>
    Other,

    /// <summary>
    /// 404: no such user, job, connection, account, consent, event or subscription. Basiq itself answered for that resource, in an error
    /// body of its own, and took the token: a refused key, a gateway's page or a wrong <c>Basiq:BaseUrl</c> is never this. Still it is
    /// no proof of a deletion, since Basiq says the same of what belongs to another application than the key's.
    /// </summary>
    NotFound,

    /// <summary>400 or 422 in Basiq's own words: it refused what was sent; <see cref="BasiqFailure.Sources"/> name the fields.</summary>
    Invalid,

    /// <summary>
    /// 401, or 403 for an expired token, that another token did not heal; or a refused request for a token, by whatever status: no call
    /// can be made until the key is replaced.
    /// </summary>
    Unauthorized,

    /// <summary>
    /// 403 that is neither of these: the API key lacks a permission or, when it is transient, somebody before Basiq kept refusing.
    /// </summary>
    Forbidden,

    /// <summary>
    /// 429, or 403 in which Basiq says the same: too many requests; or our own limit, so that it does not come to that.
    /// </summary>
    Overloaded,

    /// <summary>5xx, no connection, or the circuit breaker is open.</summary>
    Unavailable,

    /// <summary>No answer within the configured time, or Basiq's gateway said so.</summary>
    Timeout,

    /// <summary>
    /// An answer that is cut short, empty, not JSON, of another shape, or that points elsewhere; also a refusal or a 404 that is not in
    /// Basiq's words, and so need not be Basiq's.
    /// </summary>
    UnusableAnswer,

    /// <summary>A user creation that Basiq may or may not have carried out; never send it again blindly.</summary>
    OutcomeUnknown,

    /// <summary>410: it existed and does no longer; as sure as <see cref="NotFound"/> is.</summary>
    Gone,
}
