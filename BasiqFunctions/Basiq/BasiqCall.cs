namespace BasiqFunctions.Basiq;

/// <summary>What the handlers know of a request beyond its bytes; travels in <see cref="HttpRequestMessage.Options"/>.</summary>
/// <param name="endpoint">Verb and path template, fit for a log.</param>
/// <param name="credential">What authorizes it.</param>
/// <param name="isRepeatable">Whether doing it twice is the same as doing it once.</param>
/// <param name="startedAt">Timestamp of the clock when it began.</param>
internal sealed class BasiqCall(string endpoint, BasiqCredential credential, bool isRepeatable, long startedAt)
{
    private static readonly HttpRequestOptionsKey<BasiqCall> Key = new(nameof(BasiqCall));

    public string Endpoint { get; } = endpoint;

    public BasiqCredential Credential { get; } = credential;

    public bool IsRepeatable { get; } = isRepeatable;

    public long StartedAt { get; } = startedAt;

    /// <summary>Whether it asks for the server token, for which some token requests are reserved.</summary>
    public bool IsForServerToken => Credential is BasiqCredential.ApiKey && LookUpUser is null;

    /// <summary>Whether it is about one resource, which may be missing: the template has a place for its id.</summary>
    public bool NamesResource => Endpoint.Contains('{', StringComparison.Ordinal);

    /// <summary>
    /// Asks Basiq for the user that a request for a token is about, since Basiq refuses a user that it does not know as it refuses a
    /// key; fails when it does not know the user. Null for a request that names no user.
    /// </summary>
    public Func<CancellationToken, Task>? LookUpUser { get; init; }

    /// <summary>The token of a call that is authorized by one of its own.</summary>
    public string? ClientToken { get; init; }

    /// <summary>Requests sent so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether an attempt ended in such a way that Basiq may have carried it out.</summary>
    public bool MayHaveBeenProcessed { get; set; }

    internal static BasiqCall Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(Key, out var call)
            ? call
            : throw new InvalidOperationException("Requests to Basiq go through the Basiq client.");

    internal void AttachTo(HttpRequestMessage request) => request.Options.Set(Key, this);
}

/// <summary>What authorizes a request to Basiq.</summary>
internal enum BasiqCredential
{
    /// <summary>The SERVER_ACCESS token, as bearer.</summary>
    ServerToken,

    /// <summary>The API key as issued, for <c>POST /token</c>.</summary>
    ApiKey,

    /// <summary>A CLIENT_ACCESS token that the call brings, as bearer.</summary>
    ClientToken,
}
