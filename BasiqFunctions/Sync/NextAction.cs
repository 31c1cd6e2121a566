using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>What should be done about a job that failed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NextAction>))]
public enum NextAction
{
    /// <summary>The user connects the bank again: the login or the authorisation was refused, or the connection no longer works.</summary>
    [JsonStringEnumMemberName("reconnect")]
    Reconnect,

    /// <summary>The user clears something at the bank; then refresh the connection.</summary>
    [JsonStringEnumMemberName("act-at-bank")]
    ActAtBank,

    /// <summary>The bank is not available: refresh the connection in ten minutes or so.</summary>
    [JsonStringEnumMemberName("retry-later")]
    RetryLater,

    /// <summary>None of the above helps; the step's code and detail are what Basiq's support needs.</summary>
    [JsonStringEnumMemberName("contact-support")]
    ContactSupport,
}
