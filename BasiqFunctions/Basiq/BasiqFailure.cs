using System.Collections.Frozen;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Basiq;

/// <summary>Why a call to Basiq failed, as a value.</summary>
/// <param name="Kind">What a caller would act on.</param>
/// <param name="Code">Basiq's error code, or one of ours in the same style (<c>http-502</c>, <c>malformed-answer</c>).</param>
public sealed record BasiqFailure(BasiqFailureKind Kind, string Code)
{
    /// <summary>Code of a link that leads elsewhere than the configured <c>Basiq:BaseUrl</c>.</summary>
    public const string ForeignLinkCode = "foreign-link";

    /// <summary>Code of a token request that was not sent, since <c>Basiq:MaxTokenRequests</c> are spent.</summary>
    public const string TokenLimitCode = "token-request-limit";

    /// <summary>Code of a data call that was not sent, since <c>Basiq:MaxConcurrentCalls</c> are under way.</summary>
    public const string CallLimitCode = "concurrent-call-limit";

    /// <summary>Code of a token request that was not sent, since Basiq refuses the API key that it would take.</summary>
    public const string ApiKeyRefusedCode = "api-key-refused";

    /// <summary>Whether this app refused the call, by its own limits or with a key that is known to be refused, and sent nothing to Basiq.</summary>
    public bool IsRefusedHere { get; init; }

    /// <summary>Whether Basiq does not have the resource, or no longer has it.</summary>
    public bool IsNotFound => Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone;

    /// <summary>The HTTP status, or null when there was no answer.</summary>
    public int? StatusCode { get; init; }

    /// <summary>Basiq's title of the error, masked as <see cref="Detail"/> is.</summary>
    public string? Title { get; init; }

    /// <summary>
    /// Basiq's explanation. E-mail addresses and runs of five digits or more are masked, yet it is free text: for the caller
    /// who asked, not for a log.
    /// </summary>
    public string? Detail { get; init; }

    /// <summary>Basiq's id of this occurrence, for its support.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>How long to wait, as Basiq or our own limit says, at most an hour; null when neither does.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same call may succeed later without anything being changed.</summary>
    public bool IsTransient { get; init; }

    /// <summary>Verb and path template of the call, such as <c>GET /users/{userId}</c>.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Every entry of Basiq's error list, the first of which gave <see cref="Code"/>.</summary>
    public IReadOnlyList<BasiqErrorSource> Sources { get; init; } = [];

    /// <summary>Kind, code, status, endpoint and correlation id: never Basiq's free text.</summary>
    public override string ToString() =>
        $"{Kind} ({Code})"
        + (StatusCode is { } status ? $", status {status}" : "")
        + (Endpoint is { } endpoint ? $", {endpoint}" : "")
        + (CorrelationId is { } correlationId ? $", correlation id {correlationId}" : "");
}

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

/// <summary>
/// A call to Basiq failed. The message holds kind, code, status, endpoint template and correlation id only, so that it may be
/// logged: Basiq's free text may quote personal data.
/// </summary>
/// <param name="failure">Why.</param>
/// <param name="innerException">The transport's exception, if there was one.</param>
public sealed class BasiqException(BasiqFailure failure, Exception? innerException = null)
    : Exception($"A call to Basiq failed: {failure}.", innerException), IProblem
{
    /// <summary>Why the call failed.</summary>
    public BasiqFailure Failure { get; } = failure;

    string IProblem.Code => Failure.Code;

    // What this app refused itself is logged where it was refused, once a minute and not once a call.
    string? IProblem.Logged => Failure.IsRefusedHere ? null : Failure.ToString();

    ProblemResult IProblem.ToProblem() => Failure.ToProblem();
}

/// <summary>How a call to Basiq ended, as telemetry names it.</summary>
internal static class BasiqOutcome
{
    private static readonly FrozenDictionary<BasiqFailureKind, string> Names = Enum.GetValues<BasiqFailureKind>()
        .ToFrozenDictionary(kind => kind, kind => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString()));

    /// <summary>The failure's kind, such as <c>not-found</c>.</summary>
    internal static string Of(BasiqFailureKind kind) => Names[kind];
}
