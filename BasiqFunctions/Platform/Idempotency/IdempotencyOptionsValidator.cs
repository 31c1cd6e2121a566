using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class IdempotencyOptionsValidator : IValidateOptions<IdempotencyOptions>
{
    public ValidateOptionsResult Validate(string? name, IdempotencyOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"Idempotency:Table {RecordTableName.Rule}.");
        if (options.Retention < TimeSpan.FromHours(1) || options.Retention > TimeSpan.FromDays(30))
            failures.Add("Idempotency:Retention must be between 1 hour and 30 days.");
        if (options.Lease < TimeSpan.FromSeconds(10) || options.Lease > TimeSpan.FromMinutes(30))
            failures.Add("Idempotency:Lease must be between 10 seconds and 30 minutes.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
