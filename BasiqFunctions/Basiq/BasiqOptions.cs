namespace BasiqFunctions.Basiq;

/// <summary>Where Basiq is and how patiently it is called. Section <c>Basiq</c>.</summary>
public sealed class BasiqOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Basiq";

    /// <summary>Four fifths of what Basiq takes in 5 minutes: the rest is for what else uses the same key.</summary>
    internal const int DefaultTokenRequests = 1_200;

    /// <summary>Origin of the API; https, except on the loopback address.</summary>
    public string BaseUrl { get; set; } = "https://au-api.basiq.io";

    /// <summary>The consent page; https, except on the loopback address.</summary>
    public string ConsentUrl { get; set; } = "https://consent.basiq.io/home";

    /// <summary>The API key as issued, for where Key Vault does not hold it.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How long one attempt may take, its body included.</summary>
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a call may take, retries and the waits between them included.</summary>
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a call that failed for the moment is sent again.</summary>
    public int MaxRetries { get; set; } = 4;

    /// <summary>The wait before the first retry; it doubles from one to the next, with jitter.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The longest wait between attempts. When Basiq's <c>Retry-After</c> asks for more, the call fails at once and hands the
    /// wish on to its caller.
    /// </summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Connections kept to Basiq at most.</summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>
    /// How many data calls may be under way at once in this process; others wait for a place, and after 15 seconds are refused.
    /// </summary>
    public int MaxConcurrentCalls { get; set; } = 200;

    /// <summary>
    /// How many tokens, client tokens and server tokens together, all instances together request within
    /// <see cref="TokenRequestWindow"/>; a twentieth is kept for the server token. Basiq refuses more than 1,500 in 5 minutes (Basiq,
    /// Authentication). Left out it is 1,200, and none where <see cref="BaseUrl"/> is on the loopback address: what listens there is a
    /// stand-in, which has no such limit unless the setting gives it one.
    /// </summary>
    public int? MaxTokenRequests { get; set; }

    /// <summary>The table in which instances count them together, created on first use.</summary>
    public string Table { get; set; } = "BasiqLimits";

    /// <summary>The window, which slides, in which <see cref="MaxTokenRequests"/> are counted.</summary>
    public TimeSpan TokenRequestWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The largest answer taken, in bytes.</summary>
    public int MaxAnswerBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>What holds of <see cref="MaxTokenRequests"/> after all; null when token requests are not limited.</summary>
    internal int? TokenRequestLimit => MaxTokenRequests ?? (IsStandIn ? null : DefaultTokenRequests);

    /// <summary>Whether <see cref="BaseUrl"/> is on the loopback address, where Basiq itself never is.</summary>
    internal bool IsStandIn => Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) && url.IsLoopback;
}
