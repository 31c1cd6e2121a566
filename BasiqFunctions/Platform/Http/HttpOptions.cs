using Microsoft.Extensions.Options;

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

/// <summary>Stops the app at start, naming the setting that is wrong.</summary>
internal sealed class HttpOptionsValidator : IValidateOptions<HttpOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpOptions options)
    {
        List<string> failures = [];
        if (options.BodyTimeout < TimeSpan.FromSeconds(1) || options.BodyTimeout > TimeSpan.FromMinutes(3))
            failures.Add("Http:BodyTimeout must be between 1 second and 3 minutes.");
        if (options.Deadline < options.BodyTimeout || options.Deadline > TimeSpan.FromMinutes(10))
            failures.Add("Http:Deadline must be at least Http:BodyTimeout and at most 10 minutes.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
