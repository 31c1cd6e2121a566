using System.ComponentModel.DataAnnotations;
using System.Globalization;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>How a person is sent to the consent page and taken back. Section <c>Consent</c>.</summary>
public sealed class ConsentOptions : IValidatableObject
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
    [Duration("1m", "1d")]
    public TimeSpan StateLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < ReturnUrls.Count; i++)
        {
            var setting = string.Create(CultureInfo.InvariantCulture, $"Consent:ReturnUrls:{i}");
            if (Consents.ReturnUrls.Parse(ReturnUrls[i]) is not { } url)
                yield return new($"{setting} must be an absolute https URL (http on the loopback address) without user and fragment.");
            else if (url.Query.Length > 0)
                yield return new($"{setting} must have no query: it stands for its path and everything below.");
        }
    }
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class ConsentOptionsValidator : IValidateOptions<ConsentOptions>;
