using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Idempotency;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed partial class IdempotencyOptionsValidator : IValidateOptions<IdempotencyOptions>
{
    public ValidateOptionsResult Validate(string? name, IdempotencyOptions options)
    {
        List<string> failures = [];
        if (!TableName().IsMatch(options.Table ?? ""))
            failures.Add("Idempotency:Table must have 3 to 63 letters and digits, a letter first.");
        if (options.Retention < TimeSpan.FromHours(1) || options.Retention > TimeSpan.FromDays(30))
            failures.Add("Idempotency:Retention must be between 1 hour and 30 days.");
        if (options.Lease < TimeSpan.FromSeconds(10) || options.Lease > TimeSpan.FromMinutes(30))
            failures.Add("Idempotency:Lease must be between 10 seconds and 30 minutes.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9]{2,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TableName();
}
