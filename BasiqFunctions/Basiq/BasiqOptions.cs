using System.ComponentModel.DataAnnotations;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

/// <summary>Where Basiq is and how patiently it is called. Section <c>Basiq</c>.</summary>
public sealed class BasiqOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Basiq";

    /// <summary>Four fifths of what Basiq takes in 5 minutes: the rest is for what else uses the same key.</summary>
    internal const int DefaultTokenRequests = 1_200;

    /// <summary>Basiq, Authentication: more token requests than these in this time are refused.</summary>
    private const int BasiqTokenRequests = 1_500;

    private static readonly TimeSpan BasiqWindow = TimeSpan.FromMinutes(5);

    /// <summary>Origin of the API; https, except on the loopback address.</summary>
    public string BaseUrl { get; set; } = "https://au-api.basiq.io";

    /// <summary>The consent page; https, except on the loopback address.</summary>
    public string ConsentUrl { get; set; } = "https://consent.basiq.io/home";

    /// <summary>The API key as issued, for where Key Vault does not hold it.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How long one attempt may take, its body included.</summary>
    [Duration("10ms", "1h")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a call may take, retries and the waits between them included.</summary>
    [Duration("10ms", "1h")]
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a call that failed for the moment is sent again.</summary>
    [Number(0, 20)]
    public int MaxRetries { get; set; } = 4;

    /// <summary>The wait before the first retry; it doubles from one to the next, with jitter.</summary>
    [Duration("10ms", "1h")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The longest wait between attempts. When Basiq's <c>Retry-After</c> asks for more, the call fails at once and hands the
    /// wish on to its caller.
    /// </summary>
    [Duration("10ms", "1h")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Connections kept to Basiq at most.</summary>
    [Number(1, 10_000)]
    public int MaxConnections { get; set; } = 256;

    /// <summary>
    /// How many data calls may be under way at once in this process; others wait for a place, and after 15 seconds are refused.
    /// </summary>
    [Number(1, 10_000)]
    public int MaxConcurrentCalls { get; set; } = 200;

    /// <summary>
    /// How many tokens, client tokens and server tokens together, all instances together request within
    /// <see cref="TokenRequestWindow"/>; a twentieth is kept for the server token. Basiq refuses more than 1,500 in 5 minutes (Basiq,
    /// Authentication). Left out it is 1,200, and none where <see cref="BaseUrl"/> is on the loopback address: what listens there is a
    /// stand-in, which has no such limit unless the setting gives it one.
    /// </summary>
    [Number(2, 100_000_000)]
    public int? MaxTokenRequests { get; set; }

    /// <summary>The table in which instances count them together, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqLimits";

    /// <summary>The window, which slides, in which <see cref="MaxTokenRequests"/> are counted.</summary>
    [Duration("10ms", "1h")]
    public TimeSpan TokenRequestWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The largest answer taken, in bytes.</summary>
    [Number(64 * 1024, 1024 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>What holds of <see cref="MaxTokenRequests"/> after all; null when token requests are not limited.</summary>
    internal int? TokenRequestLimit => MaxTokenRequests ?? (IsStandIn ? null : DefaultTokenRequests);

    /// <summary>Whether <see cref="BaseUrl"/> is on the loopback address, where Basiq itself never is.</summary>
    internal bool IsStandIn => Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) && url.IsLoopback;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Failures().Select(failure => new ValidationResult(failure));

    private IEnumerable<string> Failures()
    {
        if (WrongUrl(BaseUrl) is { } baseUrl)
            yield return $"Basiq:BaseUrl {baseUrl}";
        if (WrongUrl(ConsentUrl) is { } consentUrl)
            yield return $"Basiq:ConsentUrl {consentUrl}";
        if (ApiKey is { Length: > 0 } key && key.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c > '~'))
            yield return "Basiq:ApiKey holds a character that an API key does not, such as a space or a line break.";
        if (TotalTimeout < AttemptTimeout)
            yield return "Basiq:TotalTimeout must be at least Basiq:AttemptTimeout.";
        if (MaxRetryDelay < RetryDelay)
            yield return "Basiq:MaxRetryDelay must be at least Basiq:RetryDelay.";

        // A limit that Basiq would not grant is none; a stand-in on the loopback address has its own.
        if (!IsStandIn && TokenRequestWindow > TimeSpan.Zero && TokenRequestLimit is { } limit
            && limit * Math.Max(1, Math.Ceiling(BasiqWindow / TokenRequestWindow)) > BasiqTokenRequests)
            yield return "Basiq:MaxTokenRequests within Basiq:TokenRequestWindow must come to at most 1500 in 5 minutes, which is all that Basiq takes.";
    }

    private static string? WrongUrl(string? value) =>
        !Uri.TryCreate(value, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            ? "must be an absolute http or https URL."
        : url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback ? "must be https: plain http is for the loopback address only."
        : url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0 ? "must have no user, query or fragment."
        : null;
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class BasiqOptionsValidator : IValidateOptions<BasiqOptions>;
