using System.Globalization;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Notices;

/// <summary>Something that the team's backend is told: what happened, to whom and when, by ids alone.</summary>
/// <param name="MessageId">The message's id, the same however often it is told.</param>
/// <param name="Type">One of <see cref="NoticeTypes"/>.</param>
/// <param name="Timestamp">When it happened.</param>
/// <param name="Data">What it is about.</param>
public sealed record Notice(string MessageId, string Type, DateTimeOffset Timestamp, NoticeData Data)
{
    /// <summary>
    /// Whether it is told only where it is news: that a connection needs the person, unless that has been told, or that one works, where it
    /// was told that it did not.
    /// </summary>
    public bool OnlyIfNews { get; init; }

    /// <summary>The id of a message: the later it is made, the sooner it comes in the order of ids.</summary>
    /// <param name="at">When the message is made.</param>
    /// <param name="name">What tells it from others of that time; the same name makes the same id.</param>
    public static string IdFor(DateTimeOffset at, Guid name) =>
        string.Create(CultureInfo.InvariantCulture, $"msg_{DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() - at.ToUnixTimeMilliseconds():x12}{name:N}");
}

/// <summary>What a notice is about. What does not belong to its type is left out.</summary>
/// <param name="UserId">The user.</param>
public sealed record NoticeData([property: JsonPropertyName("userId")] UserId UserId)
{
    /// <summary>The connection.</summary>
    [JsonPropertyName("connectionId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ConnectionId? ConnectionId { get; init; }

    /// <summary>The sync.</summary>
    [JsonPropertyName("syncId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SyncId? SyncId { get; init; }

    /// <summary>How it ended.</summary>
    [JsonPropertyName("outcome"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Outcome { get; init; }

    /// <summary>From when the newest data are.</summary>
    [JsonPropertyName("dataAsOf"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? DataAsOf { get; init; }

    /// <summary>What the person has to do.</summary>
    [JsonPropertyName("nextAction"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NextAction { get; init; }

    /// <summary>The consent.</summary>
    [JsonPropertyName("consentId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConsentId { get; init; }

    /// <summary>When the consent ends.</summary>
    [JsonPropertyName("endsAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>In how many days it ends, at most: 30, 7 or 1.</summary>
    [JsonPropertyName("days"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Days { get; init; }

    /// <summary>The receipt of what was removed.</summary>
    [JsonPropertyName("receiptId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReceiptId { get; init; }

    /// <summary>Why it was removed.</summary>
    [JsonPropertyName("reason"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    /// <summary>The report.</summary>
    [JsonPropertyName("reportId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReportId? ReportId { get; init; }
}
