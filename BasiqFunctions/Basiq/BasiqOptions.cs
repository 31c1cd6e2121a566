using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

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

/// <summary>Refuses settings that cannot work, by name and without quoting a secret.</summary>
internal sealed class BasiqOptionsValidator : IValidateOptions<BasiqOptions>
{
    /// <summary>Basiq, Authentication: more token requests than these in this time are refused.</summary>
    private const int BasiqTokenRequests = 1_500;

    private static readonly TimeSpan BasiqWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, BasiqOptions options)
    {
        List<string> failures =
        [
            .. Url("Basiq:BaseUrl", options.BaseUrl),
            .. Url("Basiq:ConsentUrl", options.ConsentUrl),
            .. Time("Basiq:AttemptTimeout", options.AttemptTimeout),
            .. Time("Basiq:TotalTimeout", options.TotalTimeout),
            .. Time("Basiq:RetryDelay", options.RetryDelay),
            .. Time("Basiq:MaxRetryDelay", options.MaxRetryDelay),
            .. Number("Basiq:MaxRetries", options.MaxRetries, 0, 20),
            .. Number("Basiq:MaxConnections", options.MaxConnections, 1, 10_000),
            .. Number("Basiq:MaxConcurrentCalls", options.MaxConcurrentCalls, 1, 10_000),
            .. Number("Basiq:MaxTokenRequests", options.MaxTokenRequests ?? BasiqOptions.DefaultTokenRequests, 2, 100_000_000),
            .. Time("Basiq:TokenRequestWindow", options.TokenRequestWindow),
            .. TokenRequests(options),
            .. Number("Basiq:MaxAnswerBytes", options.MaxAnswerBytes, 64 * 1024, 1024 * 1024 * 1024),
        ];
        if (options.ApiKey is { Length: > 0 } key && key.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c > '~'))
            failures.Add("Basiq:ApiKey holds a character that an API key does not, such as a space or a line break.");
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"Basiq:Table {RecordTableName.Rule}.");
        if (options.TotalTimeout < options.AttemptTimeout)
            failures.Add("Basiq:TotalTimeout must be at least Basiq:AttemptTimeout.");
        if (options.MaxRetryDelay < options.RetryDelay)
            failures.Add("Basiq:MaxRetryDelay must be at least Basiq:RetryDelay.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>A limit that Basiq would not grant is none; a stand-in on the loopback address has its own.</summary>
    private static IEnumerable<string> TokenRequests(BasiqOptions options)
    {
        if (options.IsStandIn || options.TokenRequestWindow <= TimeSpan.Zero || options.TokenRequestLimit is not { } limit)
            yield break;
        if (limit * Math.Max(1, Math.Ceiling(BasiqWindow / options.TokenRequestWindow)) > BasiqTokenRequests)
            yield return "Basiq:MaxTokenRequests within Basiq:TokenRequestWindow must come to at most 1500 in 5 minutes, which is all that Basiq takes.";
    }

    private static IEnumerable<string> Url(string setting, string? value)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp))
            yield return $"{setting} must be an absolute http or https URL.";
        else if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            yield return $"{setting} must be https: plain http is for the loopback address only.";
        else if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            yield return $"{setting} must have no user, query or fragment.";
    }

    private static IEnumerable<string> Time(string setting, TimeSpan value)
    {
        if (value < TimeSpan.FromMilliseconds(10) || value > Longest)
            yield return $"{setting} must be between 10 ms and 1 hour.";
    }

    private static IEnumerable<string> Number(string setting, int value, int least, int most)
    {
        if (value < least || value > most)
            yield return $"{setting} must be between {least} and {most}.";
    }
}
