using System.ComponentModel.DataAnnotations;
using System.Net;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>How the team's backend is told what happens. Section <c>Notifications</c>.</summary>
public sealed class NotificationOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Notifications";

    /// <summary>The table, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqNotifications";

    /// <summary>How long a delivery is listed after it was made; for 7 days it is tried.</summary>
    [Duration("8d", "90d", Why = "a delivery is tried for 7 days")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long the secret before the current one signs as well.</summary>
    [Duration("0s", "30d")]
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Networks that receivers may be in although nobody can reach them from outside, such as <c>10.1.0.0/16</c>, with semicolons between
    /// them. Receivers on a loopback network that is among them may be http.
    /// </summary>
    public string AllowedNetworks { get; set; } = "";

    /// <summary>The Azure Storage queue that gets every notification as well, in the storage of the host; none when it is empty.</summary>
    [StorageName(IsOptional = true)]
    public string Queue { get; set; } = "";

    /// <summary>The endpoint of the Event Grid topic that gets every notification as well, as CloudEvents; none when it is empty.</summary>
    public string EventGrid { get; set; } = "";

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ParseNetworks() is null)
            yield return new("Notifications:AllowedNetworks must be networks such as 10.1.0.0/16, with semicolons between them.");
        if (EventGrid.Length > 0 && !(Uri.TryCreate(EventGrid, UriKind.Absolute, out var topic) && topic.Scheme == Uri.UriSchemeHttps && topic.UserInfo.Length == 0))
            yield return new("Notifications:EventGrid must be the https endpoint of an Event Grid topic.");
    }

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
[OptionsValidator]
internal sealed partial class NotificationOptionsValidator : IValidateOptions<NotificationOptions>;
