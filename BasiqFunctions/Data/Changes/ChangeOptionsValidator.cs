using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Changes;

internal sealed class ChangeOptionsValidator : IValidateOptions<ChangeOptions>
{
    public ValidateOptionsResult Validate(string? name, ChangeOptions options)
    {
        var failures = new List<string>();
        if (options.KeepFor < TimeSpan.FromDays(1) || options.KeepFor > TimeSpan.FromDays(365))
            failures.Add("Changes:KeepFor must be between 1 day and 365 days.");
        if (options.ReadFor < TimeSpan.FromMinutes(10) || options.ReadFor > TimeSpan.FromDays(7))
            failures.Add("Changes:ReadFor must be between 10 minutes and 7 days.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
