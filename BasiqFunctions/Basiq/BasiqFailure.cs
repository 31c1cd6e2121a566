using BasiqFunctions.Basiq.Models;

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
