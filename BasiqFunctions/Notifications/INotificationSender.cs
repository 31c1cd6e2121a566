using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Notifications;

/// <summary>A way by which notifications leave.</summary>
public interface INotificationSender
{
    /// <summary>Whether it is the way to a receiver.</summary>
    bool Serves(string receiver);

    /// <summary>Sends a message once. That it does not arrive is an answer, and no exception.</summary>
    Task<SendResult> SendAsync(string receiver, NotificationMessage message, CancellationToken cancellation);
}

/// <summary>What came of sending a message.</summary>
/// <param name="Code">The receiver's HTTP status as <c>http-503</c>, or what there was instead.</param>
/// <param name="IsDelivered">Whether it arrived.</param>
public sealed record SendResult(string Code, bool IsDelivered)
{
    /// <summary>The code of what arrived.</summary>
    internal const string Delivered = "delivered";

    /// <summary>The code of a receiver that did not answer in time.</summary>
    internal const string Timeout = "timeout";

    /// <summary>Whether there is no such receiver any more.</summary>
    public bool IsGone { get; init; }

    /// <summary>The URL at which the receiver said that it wants no more messages.</summary>
    public string? GoneFrom { get; init; }

    /// <summary>Whether it was not even tried, since the receiver has enough to do for the moment.</summary>
    public bool IsUntried { get; init; }

    /// <summary>How long the receiver asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>What a receiver gets.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Type">Its type.</param>
/// <param name="Timestamp">When what it tells of happened.</param>
/// <param name="Data">What it is about.</param>
public sealed record NotificationMessage(
    [property: JsonIgnore] string Id,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("timestamp")] DateTimeOffset Timestamp,
    [property: JsonPropertyName("data")] NoticeData Data)
{
    /// <summary>The body.</summary>
    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, AppJson.Of<NotificationMessage>());
}
