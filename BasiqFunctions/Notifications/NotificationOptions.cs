using System.Net;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>How the team's backend is told what happens. Section <c>Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Notifications";

    /// <summary>The table, created on first use.</summary>
    public string Table { get; set; } = "BasiqNotifications";

    /// <summary>How long a delivery is listed after it was made; for 7 days it is tried.</summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long the secret before the current one signs as well.</summary>
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Networks that receivers may be in although nobody can reach them from outside, such as <c>10.1.0.0/16</c>, with semicolons between
    /// them. Receivers on a loopback network that is among them may be http.
    /// </summary>
    public string AllowedNetworks { get; set; } = "";

    /// <summary>The Azure Storage queue that gets every notification as well, in the storage of the host; none when it is empty.</summary>
    public string Queue { get; set; } = "";

    /// <summary>The endpoint of the Event Grid topic that gets every notification as well, as CloudEvents; none when it is empty.</summary>
    public string EventGrid { get; set; } = "";

    /// <summary>The networks of <see cref="AllowedNetworks"/>; null where that is not a list of networks.</summary>
    internal IReadOnlyList<IPNetwork>? ParseNetworks()
    {
        List<IPNetwork> networks = [];
        foreach (var text in AllowedNetworks.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!IPNetwork.TryParse(text, out var network))
                return null;
            networks.Add(network);
        }

        return networks;
    }
}

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class NotificationOptionsValidator : IValidateOptions<NotificationOptions>
{
    public ValidateOptionsResult Validate(string? name, NotificationOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"Notifications:Table {RecordTableName.Rule}.");
        if (options.KeepFor < TimeSpan.FromDays(8) || options.KeepFor > TimeSpan.FromDays(90))
            failures.Add("Notifications:KeepFor must be between 8 and 90 days: a delivery is tried for 7.");
        if (options.SecretOverlap < TimeSpan.Zero || options.SecretOverlap > TimeSpan.FromDays(30))
            failures.Add("Notifications:SecretOverlap must be between 0 and 30 days.");
        if (options.ParseNetworks() is null)
            failures.Add("Notifications:AllowedNetworks must be networks such as 10.1.0.0/16, with semicolons between them.");
        if (options.Queue.Length > 0 && !IsQueueName(options.Queue))
            failures.Add("Notifications:Queue must have 3 to 63 lower case letters, digits and single hyphens, and begin and end with a letter or digit.");
        if (options.EventGrid.Length > 0 && !(Uri.TryCreate(options.EventGrid, UriKind.Absolute, out var topic) && topic.Scheme == Uri.UriSchemeHttps && topic.UserInfo.Length == 0))
            failures.Add("Notifications:EventGrid must be the https endpoint of an Event Grid topic.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>Microsoft Learn, "Naming Queues and Metadata".</summary>
    private static bool IsQueueName(string name) =>
        name.Length is >= 3 and <= 63
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-')
        && !name.StartsWith('-') && !name.EndsWith('-') && !name.Contains("--", StringComparison.Ordinal);
}
