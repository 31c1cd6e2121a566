using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;

namespace BasiqFunctions.Basiq;

/// <summary>A call to Basiq: what it asks for, and how its attempts went. Handlers find it in the request's options.</summary>
internal sealed class BasiqCall
{
    /// <summary>Verb and path of a request for a token.</summary>
    public const string TokenEndpoint = "POST /token";

    /// <summary>What answers are, as a rule.</summary>
    public const string Json = "application/json";

    private static readonly HttpRequestOptionsKey<BasiqCall> Key = new(nameof(BasiqCall));

    /// <param name="endpoint">Verb and path template, fit for a log, such as <c>GET /users/{userId}</c>.</param>
    /// <param name="ids">What stands in the template's places, in their order.</param>
    public BasiqCall(string endpoint, params ReadOnlySpan<string> ids) =>
        (Endpoint, Target) = (endpoint, TargetOf(endpoint.AsSpan(endpoint.IndexOf('/', StringComparison.Ordinal) + 1), ids));

    public string Endpoint { get; }

    public HttpMethod Method => Endpoint[0] switch { 'G' => HttpMethod.Get, 'D' => HttpMethod.Delete, _ => HttpMethod.Post };

    /// <summary>The path below <c>Basiq:BaseUrl</c>, or a link that an answer gave.</summary>
    public string Target { get; init; }

    /// <summary>What follows the path, encoded, from its question mark on.</summary>
    public string? Query { get; init; }

    public HttpContent? Content { get; init; }

    /// <summary>The type of answer that is wanted.</summary>
    public string Accept { get; init; } = Json;

    /// <summary>Whether doing it twice is the same as doing it once.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Whether it asks for a token, which the API key authorizes.</summary>
    public bool AsksForToken => Endpoint is TokenEndpoint;

    /// <summary>Whether it is about one resource, which may be missing: the template has a place for its id.</summary>
    public bool NamesResource => Endpoint.Contains('{', StringComparison.Ordinal);

    /// <summary>The token of a call that is authorized by one of its own, in place of the server token.</summary>
    public string? ClientToken { get; init; }

    /// <summary>
    /// Asks Basiq for the user that a request for a token is about, since Basiq refuses a user that it does not know as it refuses a
    /// key; fails when it does not know the user. Null for a request that names no user.
    /// </summary>
    public Func<CancellationToken, Task>? LookUpUser { get; init; }

    /// <summary>Asks for a token that names no user, which tells whether the API key is taken. Needed with <see cref="LookUpUser"/>.</summary>
    public Func<CancellationToken, Task>? TryKey { get; init; }

    /// <summary>What each attempt needs before it is sent; null for one of the places for data calls.</summary>
    public Func<BasiqCall, ValueTask<RateLimitLease>>? Permit { get; init; }

    /// <summary>Timestamp of the clock when it began.</summary>
    public long StartedAt { get; private set; }

    /// <summary>Requests sent so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether an attempt ended in such a way that Basiq may have carried it out.</summary>
    public bool MayHaveBeenProcessed { get; set; }

    internal static BasiqCall Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(Key, out var call)
            ? call
            : throw new InvalidOperationException("Requests to Basiq go through the Basiq client.");

    internal HttpRequestMessage ToRequest(Uri baseUri, long startedAt)
    {
        StartedAt = startedAt;
        var request = new HttpRequestMessage(Method, new Uri(baseUri, Target + Query)) { Content = Content };
        request.Headers.TryAddWithoutValidation("Accept", Accept);
        if (AsksForToken)
            request.Headers.TryAddWithoutValidation("basiq-version", "3.0");
        request.Options.Set(Key, this);
        return request;
    }

    private static string TargetOf(ReadOnlySpan<char> template, ReadOnlySpan<string> ids)
    {
        var target = new DefaultInterpolatedStringHandler(template.Length, ids.Length);
        foreach (var id in ids)
        {
            target.AppendFormatted(template[..template.IndexOf('{')]);
            target.AppendFormatted(Segment(id));
            template = template[(template.IndexOf('}') + 1)..];
        }

        target.AppendFormatted(template);
        return target.ToStringAndClear();
    }

    /// <summary>An id as a path segment: what cannot be one without meaning another path is a caller's mistake.</summary>
    private static string Segment(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return id is "." or ".."
            ? throw new ArgumentException("A dot segment is not an id.", nameof(id))
            : Uri.EscapeDataString(id);
    }
}
