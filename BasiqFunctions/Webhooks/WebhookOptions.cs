using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>How webhooks and the events that they tell of are dealt with. Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Webhooks";

    /// <summary>The table, created on first use.</summary>
    public string Table { get; set; } = "BasiqWebhooks";

    /// <summary>
    /// How long the orchestration of an event is kept after it began: for as long, whatever tells of the event again finds it and changes
    /// nothing. Basiq lists events for 7 days, within which an event is tried, and retries a message for some 28 hours.
    /// </summary>
    public TimeSpan RememberFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long the secret before the current one is still taken.</summary>
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromDays(1);
}

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
