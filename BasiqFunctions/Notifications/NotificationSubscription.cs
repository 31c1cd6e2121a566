using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Notices;
using FluentValidation;

namespace BasiqFunctions.Notifications;

/// <summary>Where notifications go.</summary>
/// <param name="Name">What the team calls it.</param>
/// <param name="Url">The receiver.</param>
/// <param name="Events">The types that it gets; all when it is empty.</param>
/// <param name="CreatedAt">Since when.</param>
public sealed record NotificationSubscription(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("events")] IReadOnlyList<string> Events,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt)
{
    /// <summary>What the subscription is called where no name is given.</summary>
    internal const string DefaultName = "default";

    /// <summary>The most subscriptions.</summary>
    internal const int Most = 10;

    /// <summary>What its messages are signed with. Answered when it was made, and never again.</summary>
    [JsonPropertyName("secret"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    /// <summary>Since when every delivery has failed; left out while they arrive.</summary>
    [JsonPropertyName("failingSince"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Whether it gets messages of a type.</summary>
    internal bool Takes(string type) => Events.Count == 0 || Events.Contains(type);
}

/// <summary>The subscriptions.</summary>
/// <param name="Subscriptions">By name.</param>
public sealed record NotificationSubscriptionList(
    [property: JsonPropertyName("subscriptions")] IReadOnlyList<NotificationSubscription> Subscriptions);

/// <summary>What SetNotificationSubscription is asked for.</summary>
/// <param name="Url">The receiver.</param>
/// <param name="Events">The types that it gets; all when it is left out.</param>
/// <param name="RotateSecret">Whether a new secret is made.</param>
internal sealed record NotificationSubscriptionRequest(string? Url, IReadOnlyList<string>? Events, bool? RotateSecret);

/// <summary>What SetNotificationSubscription takes.</summary>
internal sealed class NotificationSubscriptionRequestValidator : AbstractValidator<NotificationSubscriptionRequest>
{
    public NotificationSubscriptionRequestValidator()
    {
        RuleFor(request => request.Url).NotNull().WithMessage("is required: an absolute https URL without credentials or fragment.");
        RuleFor(request => request.Events)
            .Must(events => events is null || events.All(NoticeTypes.All.Contains))
            .WithMessage($"must be a list of these: {string.Join(", ", NoticeTypes.All)}.");
    }
}
