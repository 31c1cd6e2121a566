using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class RemovalOptionsValidator : IValidateOptions<RemovalOptions>
{
    public ValidateOptionsResult Validate(string? name, RemovalOptions options) =>
        options.MostAtOnce is < 0
            ? ValidateOptionsResult.Fail($"{RemovalOptions.Section}:{nameof(options.MostAtOnce)} must be 0 or more.")
        : options.KeepFinishedFor < TimeSpan.FromDays(1) || options.KeepFinishedFor > TimeSpan.FromDays(3_650)
            ? ValidateOptionsResult.Fail($"{RemovalOptions.Section}:{nameof(options.KeepFinishedFor)} must be between 1 and 3,650 days.")
        : ValidateOptionsResult.Success;
}
