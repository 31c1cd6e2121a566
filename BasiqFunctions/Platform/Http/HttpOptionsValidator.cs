using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Http;

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
