using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"Webhooks:Table {RecordTableName.Rule}.");
        if (options.RememberFor < TimeSpan.FromDays(8) || options.RememberFor > TimeSpan.FromDays(90))
            failures.Add("Webhooks:RememberFor must be between 8 and 90 days: Basiq lists events for 7.");
        if (options.SecretOverlap < TimeSpan.Zero || options.SecretOverlap > TimeSpan.FromDays(30))
            failures.Add("Webhooks:SecretOverlap must be between 0 and 30 days.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
