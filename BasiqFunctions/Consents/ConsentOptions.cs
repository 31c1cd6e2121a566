using System.Globalization;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>How a person is sent to the consent page and taken back. Section <c>Consent</c>.</summary>
public sealed class ConsentOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Consent";

    /// <summary>
    /// Where a person may be sent after giving consent: absolute URLs, each of which stands for itself and everything below its
    /// path. https, except on the loopback address. None: no return URL is taken. A person whose state cannot be read is offered the
    /// first.
    /// </summary>
    public IList<string> ReturnUrls { get; set; } = [];

    /// <summary>How long a person may take on the consent page.</summary>
    public TimeSpan StateLifetime { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class ConsentOptionsValidator : IValidateOptions<ConsentOptions>
{
    public ValidateOptionsResult Validate(string? name, ConsentOptions options)
    {
        List<string> failures = [];
        for (var i = 0; i < options.ReturnUrls.Count; i++)
        {
            var setting = string.Create(CultureInfo.InvariantCulture, $"Consent:ReturnUrls:{i}");
            if (ReturnUrls.Parse(options.ReturnUrls[i]) is not { } url)
                failures.Add($"{setting} must be an absolute https URL (http on the loopback address) without user and fragment.");
            else if (url.Query.Length > 0)
                failures.Add($"{setting} must have no query: it stands for its path and everything below.");
        }

        if (options.StateLifetime < TimeSpan.FromMinutes(1) || options.StateLifetime > TimeSpan.FromDays(1))
            failures.Add("Consent:StateLifetime must be between 1 minute and 1 day.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
