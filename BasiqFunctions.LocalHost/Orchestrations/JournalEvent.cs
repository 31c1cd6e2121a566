using System.Globalization;
using System.Text.Json;
using Microsoft.DurableTask;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>What a row of an orchestration's history says. The numbers are stored: never reuse one.</summary>
internal enum JournalEventKind
{
    /// <summary>The orchestration began; carries its input.</summary>
    Started = 1,

    /// <summary>The orchestrator asked for an activity; carries the activity's input.</summary>
    ActivityScheduled = 2,

    /// <summary>An activity returned; carries its result.</summary>
    ActivityCompleted = 3,

    /// <summary>An activity threw; carries the failure.</summary>
    ActivityFailed = 4,

    /// <summary>The orchestrator asked for a timer; carries the time at which it fires.</summary>
    TimerCreated = 5,

    /// <summary>A timer fired.</summary>
    TimerFired = 6,

    /// <summary>An event came from outside; carries its payload.</summary>
    EventRaised = 7,

    /// <summary>The orchestrator returned; carries its output.</summary>
    Completed = 8,

    /// <summary>The orchestrator threw; carries the failure.</summary>
    Failed = 9,

    /// <summary>The orchestration was ended from outside; carries the output given.</summary>
    Terminated = 10,
}

/// <summary>One row of an orchestration's history.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="At">When, in UTC. Never earlier than the row before it, whatever the clock does.</param>
/// <param name="TaskId">The number of the activity or timer, counted from 0 in the order in which the orchestrator asks.</param>
/// <param name="Name">The activity's, orchestrator's or event's name.</param>
/// <param name="Payload">JSON: an input, a result, an event's payload, a failure; for a timer its due time.</param>
internal sealed record JournalEvent(
    JournalEventKind Kind, DateTime At, int? TaskId = null, string? Name = null, string? Payload = null)
{
    /// <summary>Whether the orchestrator asked for it, as opposed to the world telling it.</summary>
    public bool IsRequest => Kind is JournalEventKind.ActivityScheduled or JournalEventKind.TimerCreated;

    public static JournalEvent Timer(DateTime at, int taskId, DateTime fireAt) =>
        new(JournalEventKind.TimerCreated, at, taskId, null, fireAt.ToString("O", CultureInfo.InvariantCulture));

    public DateTime ReadFireAt() =>
        DateTime.Parse(Payload!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    public TaskFailureDetails ReadFailure() => RecordedFailure.Read(Payload!);
}

/// <summary>
/// A failure as the journal keeps it: in the names of <see cref="TaskFailureDetails"/>, without stack traces, which say nothing
/// after a restart with other code.
/// </summary>
internal sealed record RecordedFailure(string ErrorType, string ErrorMessage, RecordedFailure? InnerFailure)
{
    public static string Serialize(Exception exception) => JsonSerializer.Serialize(From(exception));

    /// <remarks>By its JSON names, since the constructor gained parameters from one version of the type to the next.</remarks>
    public static TaskFailureDetails Read(string json) => JsonSerializer.Deserialize<TaskFailureDetails>(json)!;

    private static RecordedFailure From(Exception exception) =>
        new(exception.GetType().FullName ?? exception.GetType().Name,
            exception.Message,
            exception is TaskFailedException failed ? From(failed.FailureDetails)
                : exception.InnerException is { } inner ? From(inner) : null);

    private static RecordedFailure From(TaskFailureDetails details) =>
        new(details.ErrorType, details.ErrorMessage, details.InnerFailure is { } inner ? From(inner) : null);
}
