using System.Text.Json.Serialization;

namespace BasiqFunctions.Reports;

/// <summary>How far a report is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReportState>))]
public enum ReportState
{
    /// <summary>Basiq makes it, or it is being fetched.</summary>
    [JsonStringEnumMemberName("in-progress")]
    InProgress,

    /// <summary>It can be read.</summary>
    [JsonStringEnumMemberName("ready")]
    Ready,

    /// <summary>It could not be had.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>It is going: nobody may add to it.</summary>
    [JsonStringEnumMemberName("removed")]
    Removed,
}

/// <summary>
/// What is known of a report: ids and times alone, since what it says lies encrypted elsewhere. It stands in a row of its owner's, and each of
/// the other people has a row that leads there.
/// </summary>
/// <param name="ReportId">The report's own id, by this app.</param>
/// <param name="UserIds">Whose report it is, the owner first.</param>
/// <param name="Type">As it was asked for.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="State">How far it is.</param>
internal sealed record KeptReport(
    [property: JsonPropertyName("reportId")] ReportId ReportId,
    [property: JsonPropertyName("userIds")] IReadOnlyList<UserId> UserIds,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("state")] ReportState State)
{
    /// <summary>When its creation was sent to Basiq, where that may have been carried out without anybody knowing.</summary>
    [JsonPropertyName("sentAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>The job by which Basiq makes it.</summary>
    [JsonPropertyName("jobId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JobId? JobId { get; init; }

    /// <summary>Basiq's id of it.</summary>
    [JsonPropertyName("basiqId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BasiqReportId? BasiqId { get; init; }

    /// <summary>The connections whose data it has; null as long as nobody knows, and it then counts as having those of all.</summary>
    [JsonPropertyName("connectionIds"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ConnectionId>? ConnectionIds { get; init; }

    /// <summary>Why it could not be had.</summary>
    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>The user in whose rows and folder it stands.</summary>
    [JsonIgnore]
    public UserId OwnerId => UserIds[0];

    /// <summary>By which Basiq's list of reports shows it: the end of its title.</summary>
    [JsonIgnore]
    public string Mark => $"[{ReportId.Value[..10]}]";

    /// <summary>Whether it has data of a connection, or may have.</summary>
    public bool Has(ConnectionId connectionId) => ConnectionIds?.Contains(connectionId) is not false;
}
