namespace BasiqFunctions.Basiq;

/// <summary>Where Basiq is and how patiently it is called. Section <c>Basiq</c>.</summary>
public sealed class BasiqOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Basiq";

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

    /// <summary>The largest answer taken, in bytes.</summary>
    public int MaxAnswerBytes { get; set; } = 32 * 1024 * 1024;
}
