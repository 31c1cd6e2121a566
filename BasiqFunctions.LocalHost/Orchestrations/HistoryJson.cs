using System.Buffers;
using System.Text;
using System.Text.Json;
using DurableTask.Core;
using DurableTask.Core.History;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// A turn's events as the journal keeps them: an array of objects, each with its type. Inputs, results and payloads are JSON already
/// and stand in it as they are, so that a replay compares them to the byte. The names are stored: never change one.
/// </summary>
internal static class HistoryJson
{
    /// <summary>Writes the events of a turn, which all happened at the time of its <see cref="OrchestratorStartedEvent"/>.</summary>
    public static string Write(IReadOnlyList<HistoryEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartArray();
            foreach (var e in events)
            {
                json.WriteStartObject();
                json.WriteString("type"u8, e.EventType.ToString());
                WriteContent(json, e);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads what <see cref="Write"/> has written.</summary>
    /// <exception cref="JsonException">It is not a turn's events.</exception>
    public static List<HistoryEvent> Read(ReadOnlySpan<byte> utf8)
    {
        List<HistoryEvent> events = [];
        var at = default(DateTime);
        var json = new Utf8JsonReader(utf8);
        if (!json.Read() || json.TokenType != JsonTokenType.StartArray)
            throw new JsonException("A turn is an array of events.");
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var fields = Fields.Read(ref json, utf8);
            at = fields.At ?? at;
            var e = Create(fields);
            e.Timestamp = at;
            events.Add(e);
        }

        return json.TokenType == JsonTokenType.EndArray ? events : throw new JsonException("A turn's array of events has no end.");
    }

    /// <summary>A failure alone, as it stands in an event; the names are those of <see cref="FailureDetails"/>.</summary>
    public static string WriteFailure(FailureDetails failure)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
            WriteObject(json, failure);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteContent(Utf8JsonWriter json, HistoryEvent happened)
    {
        switch (happened)
        {
            case OrchestratorStartedEvent e:
                json.WriteString("at"u8, e.Timestamp);
                break;
            case OrchestratorCompletedEvent:
                break;
            case ExecutionStartedEvent e:
                json.WriteString("name"u8, e.Name);
                json.WriteString("instance"u8, e.OrchestrationInstance.InstanceId);
                json.WriteString("execution"u8, e.OrchestrationInstance.ExecutionId);
                WriteRaw(json, "input"u8, e.Input);
                if (e.ParentInstance is { } parent)
                {
                    json.WriteString("parentName"u8, parent.Name);
                    json.WriteString("parentInstance"u8, parent.OrchestrationInstance.InstanceId);
                    json.WriteString("parentExecution"u8, parent.OrchestrationInstance.ExecutionId);
                    json.WriteNumber("task"u8, parent.TaskScheduleId);
                }

                break;
            case ExecutionCompletedEvent e:
                json.WriteNumber("id"u8, e.EventId);
                json.WriteString("status"u8, e.OrchestrationStatus.ToString());
                WriteRaw(json, "result"u8, e.Result);
                WriteFailure(json, e.FailureDetails);
                break;
            case ExecutionTerminatedEvent e:
                WriteRaw(json, "input"u8, e.Input);
                break;
            case ExecutionSuspendedEvent e:
                WriteText(json, "reason"u8, e.Reason);
                break;
            case ExecutionResumedEvent e:
                WriteText(json, "reason"u8, e.Reason);
                break;
            case TaskScheduledEvent e:
                json.WriteNumber("id"u8, e.EventId);
                json.WriteString("name"u8, e.Name);
                WriteRaw(json, "input"u8, e.Input);
                break;
            case TaskCompletedEvent e:
                json.WriteNumber("task"u8, e.TaskScheduledId);
                WriteRaw(json, "result"u8, e.Result);
                break;
            case TaskFailedEvent e:
                json.WriteNumber("task"u8, e.TaskScheduledId);
                WriteText(json, "reason"u8, e.Reason);
                WriteFailure(json, e.FailureDetails);
                break;
            case SubOrchestrationInstanceCreatedEvent e:
                json.WriteNumber("id"u8, e.EventId);
                json.WriteString("name"u8, e.Name);
                json.WriteString("instance"u8, e.InstanceId);
                WriteRaw(json, "input"u8, e.Input);
                break;
            case SubOrchestrationInstanceCompletedEvent e:
                json.WriteNumber("task"u8, e.TaskScheduledId);
                WriteRaw(json, "result"u8, e.Result);
                break;
            case SubOrchestrationInstanceFailedEvent e:
                json.WriteNumber("task"u8, e.TaskScheduledId);
                WriteText(json, "reason"u8, e.Reason);
                WriteFailure(json, e.FailureDetails);
                break;
            case TimerCreatedEvent e:
                json.WriteNumber("id"u8, e.EventId);
                json.WriteString("fireAt"u8, e.FireAt);
                break;
            case TimerFiredEvent e:
                json.WriteNumber("task"u8, e.TimerId);
                json.WriteString("fireAt"u8, e.FireAt);
                break;
            case EventRaisedEvent e:
                json.WriteString("name"u8, e.Name);
                WriteRaw(json, "input"u8, e.Input);
                break;
            case EventSentEvent e:
                json.WriteNumber("id"u8, e.EventId);
                json.WriteString("name"u8, e.Name);
                json.WriteString("instance"u8, e.InstanceId);
                WriteRaw(json, "input"u8, e.Input);
                break;
            default:
                throw new NotSupportedException($"No orchestration of LocalHost has a {happened.EventType} event.");
        }
    }

    private static HistoryEvent Create(in Fields fields) => fields.Type switch
    {
        nameof(EventType.OrchestratorStarted) => new OrchestratorStartedEvent(-1),
        nameof(EventType.OrchestratorCompleted) => new OrchestratorCompletedEvent(-1),
        nameof(EventType.ExecutionStarted) => new ExecutionStartedEvent(-1, fields.Input)
        {
            Name = fields.Name,
            OrchestrationInstance = new OrchestrationInstance { InstanceId = fields.Instance, ExecutionId = fields.Execution },
            ParentInstance = fields.ParentInstance is null ? null : new ParentInstance
            {
                Name = fields.ParentName,
                OrchestrationInstance = new OrchestrationInstance { InstanceId = fields.ParentInstance, ExecutionId = fields.ParentExecution },
                TaskScheduleId = fields.Task,
            },
        },
        nameof(EventType.ExecutionCompleted) => new ExecutionCompletedEvent(
            fields.Id, fields.Result, Enum.Parse<OrchestrationStatus>(fields.Status!), fields.Failure),
        nameof(EventType.ExecutionTerminated) => new ExecutionTerminatedEvent(-1, fields.Input),
        nameof(EventType.ExecutionSuspended) => new ExecutionSuspendedEvent(-1, fields.Reason),
        nameof(EventType.ExecutionResumed) => new ExecutionResumedEvent(-1, fields.Reason),
        nameof(EventType.TaskScheduled) => new TaskScheduledEvent(fields.Id, fields.Name!, null, fields.Input),
        nameof(EventType.TaskCompleted) => new TaskCompletedEvent(-1, fields.Task, fields.Result),
        nameof(EventType.TaskFailed) => new TaskFailedEvent(-1, fields.Task, fields.Reason, null, fields.Failure),
        nameof(EventType.SubOrchestrationInstanceCreated) => new SubOrchestrationInstanceCreatedEvent(fields.Id)
        {
            Name = fields.Name,
            InstanceId = fields.Instance,
            Input = fields.Input,
        },
        nameof(EventType.SubOrchestrationInstanceCompleted) => new SubOrchestrationInstanceCompletedEvent(-1, fields.Task, fields.Result),
        nameof(EventType.SubOrchestrationInstanceFailed) => new SubOrchestrationInstanceFailedEvent(
            -1, fields.Task, fields.Reason, null, fields.Failure),
        nameof(EventType.TimerCreated) => new TimerCreatedEvent(fields.Id, fields.FireAt),
        nameof(EventType.TimerFired) => new TimerFiredEvent(-1, fields.FireAt) { TimerId = fields.Task },
        nameof(EventType.EventRaised) => new EventRaisedEvent(-1, fields.Input) { Name = fields.Name },
        nameof(EventType.EventSent) => new EventSentEvent(fields.Id)
        {
            Name = fields.Name,
            InstanceId = fields.Instance,
            Input = fields.Input,
        },
        var type => throw new JsonException($"'{type}' is not the type of an event."),
    };

    private static void WriteRaw(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
            return;
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private static void WriteFailure(Utf8JsonWriter json, FailureDetails? failure)
    {
        if (failure is null)
            return;
        json.WritePropertyName("failure"u8);
        WriteObject(json, failure);
    }

    /// <summary>Without stack traces, which say nothing after a restart with other code.</summary>
    private static void WriteObject(Utf8JsonWriter json, FailureDetails failure)
    {
        json.WriteStartObject();
        json.WriteString("ErrorType"u8, failure.ErrorType);
        json.WriteString("ErrorMessage"u8, failure.ErrorMessage);
        if (failure.IsNonRetriable)
            json.WriteBoolean("IsNonRetriable"u8, true);
        if (failure.InnerFailure is { } inner)
        {
            json.WritePropertyName("InnerFailure"u8);
            WriteObject(json, inner);
        }

        json.WriteEndObject();
    }

    /// <summary>All that an event may have.</summary>
    private struct Fields
    {
        public string? Type;
        public DateTime? At;
        public int Id;
        public int Task;
        public string? Name;
        public string? Instance;
        public string? Execution;
        public string? ParentName;
        public string? ParentInstance;
        public string? ParentExecution;
        public string? Input;
        public string? Result;
        public string? Reason;
        public string? Status;
        public DateTime FireAt;
        public FailureDetails? Failure;

        public static Fields Read(ref Utf8JsonReader json, ReadOnlySpan<byte> utf8)
        {
            var fields = new Fields { Id = -1 };
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var name = json.ValueSpan;
                json.Read();
                if (name.SequenceEqual("type"u8))
                    fields.Type = json.GetString();
                else if (name.SequenceEqual("at"u8))
                    fields.At = json.GetDateTime();
                else if (name.SequenceEqual("id"u8))
                    fields.Id = json.GetInt32();
                else if (name.SequenceEqual("task"u8))
                    fields.Task = json.GetInt32();
                else if (name.SequenceEqual("name"u8))
                    fields.Name = json.GetString();
                else if (name.SequenceEqual("input"u8))
                    fields.Input = Raw(ref json, utf8);
                else if (name.SequenceEqual("result"u8))
                    fields.Result = Raw(ref json, utf8);
                else if (name.SequenceEqual("instance"u8))
                    fields.Instance = json.GetString();
                else if (name.SequenceEqual("execution"u8))
                    fields.Execution = json.GetString();
                else if (name.SequenceEqual("parentName"u8))
                    fields.ParentName = json.GetString();
                else if (name.SequenceEqual("parentInstance"u8))
                    fields.ParentInstance = json.GetString();
                else if (name.SequenceEqual("parentExecution"u8))
                    fields.ParentExecution = json.GetString();
                else if (name.SequenceEqual("reason"u8))
                    fields.Reason = json.GetString();
                else if (name.SequenceEqual("status"u8))
                    fields.Status = json.GetString();
                else if (name.SequenceEqual("fireAt"u8))
                    fields.FireAt = json.GetDateTime();
                else if (name.SequenceEqual("failure"u8))
                    fields.Failure = RecordedFailure.Parse(Raw(ref json, utf8)).ToCore();
                else
                    throw new JsonException($"'{Encoding.UTF8.GetString(name)}' is not a field of an event.");
            }

            return fields;
        }

        private static string Raw(ref Utf8JsonReader json, ReadOnlySpan<byte> utf8)
        {
            var start = (int)json.TokenStartIndex;
            json.Skip();
            return Encoding.UTF8.GetString(utf8[start..(int)json.BytesConsumed]);
        }
    }
}
