namespace BasiqFunctions.Platform.Http;

/// <summary>How long requests may take. Section <c>Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Http";

    /// <summary>How long a request's body may take to arrive, however slowly it trickles in.</summary>
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a request may take in all before it is answered with a problem. Longer than any call to Basiq, shorter than the
    /// 230 seconds after which Azure's front end gives up with an answer of its own (Microsoft Learn, "Azure Functions scale and
    /// hosting").
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(150);
}
