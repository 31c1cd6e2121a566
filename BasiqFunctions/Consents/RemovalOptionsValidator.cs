using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class RemovalOptionsValidator : IValidateOptions<RemovalOptions>
{
    public ValidateOptionsResult Validate(string? name, RemovalOptions options) =>
        options.MostAtOnce is < 0
            ? ValidateOptionsResult.Fail($"{RemovalOptions.Section}:{nameof(options.MostAtOnce)} must be 0 or more.")
            : ValidateOptionsResult.Success;
}
