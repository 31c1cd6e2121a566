using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

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
