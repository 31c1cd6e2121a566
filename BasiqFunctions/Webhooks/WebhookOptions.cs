using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>How webhooks and the events that they tell of are dealt with. Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Webhooks";

    /// <summary>The table, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqWebhooks";

    /// <summary>
    /// How long the orchestration of an event is kept after it began: for as long, whatever tells of the event again finds it and changes
    /// nothing. Basiq lists events for 7 days, within which an event is tried, and retries a message for some 28 hours.
    /// </summary>
    [Duration("8d", "90d", Why = "Basiq lists events for 7 days")]
    public TimeSpan RememberFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long the secret before the current one is still taken.</summary>
    [Duration("0s", "30d")]
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class WebhookOptionsValidator : IValidateOptions<WebhookOptions>;
