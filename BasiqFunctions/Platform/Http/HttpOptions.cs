using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Http;

/// <summary>How long requests may take. Section <c>Http</c>.</summary>
public sealed class HttpOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Http";

    /// <summary>How long a request's body may take to arrive, however slowly it trickles in.</summary>
    [Duration("1s", "3m")]
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a request may take in all before it is answered with a problem. Longer than any call to Basiq, shorter than the
    /// 230 seconds after which Azure's front end gives up with an answer of its own (Microsoft Learn, "Azure Functions scale and
    /// hosting").
    /// </summary>
    [Duration("1s", "10m")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(150);

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Deadline < BodyTimeout ? [new("Http:Deadline must be at least Http:BodyTimeout.")] : [];
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class HttpOptionsValidator : IValidateOptions<HttpOptions>;
