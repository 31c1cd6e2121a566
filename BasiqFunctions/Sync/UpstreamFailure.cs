using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Sync;

/// <summary>
/// A failed call to Basiq as it crosses from an activity into the orchestration: a value, so that the orchestrator decides by
/// what it says and not by exception types, which hosts carry differently. It holds no personal data.
/// </summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Code">Basiq's code, or one of ours. What Basiq says to a request for a token is not said of the data, and never stands here.</param>
/// <param name="IsTransient">Whether the same call may succeed later.</param>
/// <param name="CorrelationId">Basiq's id of the occurrence.</param>
/// <param name="RetryAfterSeconds">How long Basiq asked to wait.</param>
/// <param name="IsOfToken">Whether no token could be had, so that the call itself was not made.</param>
public sealed record UpstreamFailure(
    string Kind, string Code, bool IsTransient, string? CorrelationId = null, double? RetryAfterSeconds = null, bool IsOfToken = false)
{
    /// <summary>Kind of a sync that was discarded, or whose user was removed, while it ran.</summary>
    public const string DiscardedKind = "Discarded";

    /// <summary>The user's consent has ended: there is nothing to fetch any more, and nothing to keep.</summary>
    public static UpstreamFailure ConsentEnded { get; } = new("ConsentEnded", ProblemCodes.ConsentEnded, IsTransient: false);

    /// <summary>Whether waiting may help: it passes by itself, or it is a refused API key, which is replaced sooner or later.</summary>
    public bool MayPass => IsTransient || IsOfToken || Kind is nameof(BasiqFailureKind.Unauthorized);

    /// <summary>Whether Basiq does not have what was asked for.</summary>
    public bool IsNotFound => Kind is nameof(BasiqFailureKind.NotFound) or nameof(BasiqFailureKind.Gone);

    /// <summary>The failure of a call to Basiq.</summary>
    public static UpstreamFailure From(BasiqFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var isOfToken = failure.Endpoint is BasiqCall.TokenEndpoint;
        var code = !isOfToken ? failure.Code
            : failure.Kind is BasiqFailureKind.Unauthorized ? BasiqFailure.ApiKeyRefusedCode
            : failure.ToProblem().Code;
        return new(failure.Kind.ToString(), code, failure.IsTransient, failure.CorrelationId, failure.RetryAfter?.TotalSeconds, isOfToken);
    }
}

/// <summary>What an activity gives back: a value, a failure, or both when it got part of the way.</summary>
/// <typeparam name="T">The value.</typeparam>
/// <param name="Value">What was done; null when nothing was.</param>
/// <param name="Failure">Why not all of it was.</param>
public sealed record Outcome<T>(T? Value, UpstreamFailure? Failure = null)
    where T : class;
