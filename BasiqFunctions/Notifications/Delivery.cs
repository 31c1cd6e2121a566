using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Notifications;

/// <summary>Where a delivery stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryStatus>))]
public enum DeliveryStatus
{
    /// <summary>It has not arrived yet, and is tried or waits for those before it.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>The receiver took it.</summary>
    [JsonStringEnumMemberName("delivered")]
    Delivered,

    /// <summary>It was tried for 7 days, or the subscription ended.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>A later one of the same user said all that it would have.</summary>
    [JsonStringEnumMemberName("folded")]
    Folded,
}

/// <summary>A message on its way to one receiver.</summary>
/// <param name="MessageId">The message, the same for each receiver.</param>
/// <param name="Type">Its type.</param>
/// <param name="UserId">The user whom it is about.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Delivery(
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("userId")] UserId UserId,
    [property: JsonPropertyName("status")] DeliveryStatus Status,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt)
{
    /// <summary>How often it has been tried.</summary>
    [JsonPropertyName("attempts")]
    public int Attempts { get; init; }

    /// <summary>When last.</summary>
    [JsonPropertyName("lastAttemptAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>What came of it: the receiver's HTTP status as <c>http-503</c>, or why there was none.</summary>
    [JsonPropertyName("lastResult"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastResult { get; init; }

    /// <summary>When it is tried again.</summary>
    [JsonPropertyName("nextAttemptAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NextAttemptAt { get; init; }
}

/// <summary>Some deliveries, the newest first.</summary>
/// <param name="Deliveries">They.</param>
/// <param name="NextCursor">What to go on with; left out at the end.</param>
public sealed record DeliveryList(
    [property: JsonPropertyName("deliveries")] IReadOnlyList<Delivery> Deliveries,
    [property: JsonPropertyName("nextCursor"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Cursor? NextCursor);

/// <summary>What is kept of a delivery.</summary>
/// <param name="Delivery">What is shown of it.</param>
/// <param name="HappenedAt">When what the message tells of happened.</param>
/// <param name="Data">What it is about.</param>
/// <param name="FirstAttemptAt">When it was first tried; null before that.</param>
internal sealed record KeptDelivery(Delivery Delivery, DateTimeOffset HappenedAt, NoticeData Data, DateTimeOffset? FirstAttemptAt = null)
{
    /// <summary>What is sent.</summary>
    public NotificationMessage ToMessage() => new(Delivery.MessageId, Delivery.Type, HappenedAt, Data);
}

/// <summary>A message's place in the queue of a user.</summary>
/// <param name="MessageId">The message.</param>
/// <param name="Type">Its type.</param>
internal sealed record QueuedMessage(string MessageId, string Type);

/// <summary>That a queue has messages, and who delivers them.</summary>
/// <param name="Next">The place of the next message.</param>
/// <param name="InstanceId">The orchestration that delivers them.</param>
internal sealed record QueueHead(long Next, string InstanceId);
