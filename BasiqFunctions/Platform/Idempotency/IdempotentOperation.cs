using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>A request that may come with an <c>Idempotency-Key</c>.</summary>
/// <param name="Endpoint">Verb and route with its values, such as <c>POST users/u1/syncs</c>.</param>
/// <param name="CanonicalBody">Gives the body's meaning as bytes: the same for bodies that ask for the same.</param>
/// <param name="Run">Does the work. Returns the answer and the user that it is about.</param>
internal sealed record IdempotentOperation(
    string Endpoint, Func<byte[]> CanonicalBody, Func<CancellationToken, Task<(IResult Answer, string UserId)>> Run)
{
    /// <summary>The user that the request is about, where there is one before it has run.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// Makes the answer again from what is known of it, for when it was not kept or cannot be read any more. Null where the
    /// operation may simply run again, since doing it twice is the same as doing it once.
    /// </summary>
    public Func<string, CancellationToken, Task<IResult>>? Restore { get; init; }

    /// <summary>The answer where nobody knows whether the operation was carried out. Needed where <see cref="Restore"/> is.</summary>
    public ProblemResult? OutcomeUnknown { get; init; }

    /// <summary>Whether the operation may run again when nobody knows whether it has run.</summary>
    public bool IsRepeatable => Restore is null;

    /// <summary>Whether the answer holds personal data, so that it is kept sealed.</summary>
    public bool IsPersonal { get; init; }
}
