using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>What this app did about an event.</summary>
/// <param name="State">How far it is.</param>
/// <param name="Tries">How often it was tried.</param>
/// <param name="Outcome">What was done, in one of few words.</param>
/// <param name="Trouble">The code of what keeps it waiting, or had it dropped.</param>
/// <param name="NextTryAt">When it is tried again.</param>
public sealed record EventHandling(
    [property: JsonPropertyName("state")] EventState State,
    [property: JsonPropertyName("tries")] int Tries,
    [property: JsonPropertyName("outcome"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Outcome = null,
    [property: JsonPropertyName("trouble"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Trouble = null,
    [property: JsonPropertyName("nextTryAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? NextTryAt = null)
{
    /// <summary>From what is known of the event's orchestration.</summary>
    internal static EventHandling From(OrchestrationRuntimeStatus status, string? customStatus, EventHandled? handled)
    {
        // What began under an earlier version shows a bare code.
        var tried = customStatus is ['{', ..] ? JsonSerializer.Deserialize(customStatus, AppJson.Of<EventTried>()) : null;
        var tries = tried?.Tries ?? 0;
        return status switch
        {
            OrchestrationRuntimeStatus.Completed when handled is not null => new EventHandling(EventState.Done, tries + 1, handled.Outcome),
            OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated =>
                new EventHandling(EventState.Dropped, tries, null, tried?.Trouble),
            _ => new EventHandling(EventState.UnderWay, tries, null, tried?.Trouble, tried?.NextAt),
        };
    }
}

/// <summary>How far an event is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EventState>))]
public enum EventState
{
    /// <summary>Basiq is being asked, or something is left to be done.</summary>
    [JsonStringEnumMemberName("under-way")]
    UnderWay,

    /// <summary>The outcome says what was done.</summary>
    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>It could not be handled in a week, and is dropped.</summary>
    [JsonStringEnumMemberName("dropped")]
    Dropped,
}

/// <summary>What the orchestration of an event shows after a try that did not end it.</summary>
/// <param name="Tries">How often it was tried.</param>
/// <param name="Trouble">The code of what stood in the way; null when only a part is left to be done.</param>
/// <param name="NextAt">When it is tried again; null when it is dropped.</param>
internal sealed record EventTried(int Tries, string? Trouble, DateTimeOffset? NextAt);
