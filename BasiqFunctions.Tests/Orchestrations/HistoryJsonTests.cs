using System.Text;
using System.Text.Json;
using BasiqFunctions.LocalHost.Orchestrations;
using DurableTask.Core;
using DurableTask.Core.History;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>What the journal keeps of each event is all that there is to it.</summary>
[Trait("Category", "Unit")]
public sealed class HistoryJsonTests
{
    private const string Json = """[{"name":"Zoë","amount":1.10},null]""";

    private static readonly DateTime At = new(2026, 7, 1, 2, 3, 4, DateTimeKind.Utc);

    private static readonly FailureDetails Failure = new("A.B", "said \"no\"", null, new FailureDetails("C", "inner", null, null, false), true);

    public static TheoryData<string> Types => [.. Events.Select(e => e.EventType.ToString())];

    private static HistoryEvent[] Events =>
    [
        new OrchestratorStartedEvent(-1),
        new ExecutionStartedEvent(-1, Json)
        {
            Name = "Run",
            OrchestrationInstance = new OrchestrationInstance { InstanceId = "child", ExecutionId = "2" },
            ParentInstance = new ParentInstance
            {
                Name = "Parent",
                OrchestrationInstance = new OrchestrationInstance { InstanceId = "parent", ExecutionId = "1" },
                TaskScheduleId = 7,
            },
        },
        new ExecutionCompletedEvent(9, Json, OrchestrationStatus.Failed, Failure),
        new ExecutionTerminatedEvent(-1, Json),
        new ExecutionSuspendedEvent(-1, "why"),
        new ExecutionResumedEvent(-1, "why not"),
        new TaskScheduledEvent(3, "Activity", null, Json),
        new TaskCompletedEvent(-1, 3, Json),
        new TaskFailedEvent(-1, 3, "reason", null, Failure),
        new SubOrchestrationInstanceCreatedEvent(4) { Name = "Child", InstanceId = "child", Input = Json },
        new SubOrchestrationInstanceCompletedEvent(-1, 4, Json),
        new SubOrchestrationInstanceFailedEvent(-1, 4, "reason", null, Failure),
        new TimerCreatedEvent(5, At.AddTicks(1)),
        new TimerFiredEvent(-1, At.AddTicks(1)) { TimerId = 5 },
        new EventRaisedEvent(-1, Json) { Name = "Told" },
        new EventSentEvent(6) { Name = "Told", InstanceId = "other", Input = Json },
        new OrchestratorCompletedEvent(-1),
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void An_event_comes_back_as_it_was_written(string type)
    {
        var written = Events.Single(e => e.EventType.ToString() == type);
        written.Timestamp = At;

        var turn = Read(HistoryJson.Write([new OrchestratorStartedEvent(-1) { Timestamp = At }, written]));

        Assert.Equal(2, turn.Count);
        Assert.Equal(All(written), All(turn[1]));
    }

    [Fact]
    public void An_event_without_a_payload_comes_back_without_one()
    {
        var read = Read(HistoryJson.Write([new EventRaisedEvent(-1, null) { Name = "Told" }, new TaskCompletedEvent(-1, 1, null)]));

        Assert.Null(Assert.IsType<EventRaisedEvent>(read[0]).Input);
        Assert.Null(Assert.IsType<TaskCompletedEvent>(read[1]).Result);
    }

    [Fact]
    public void No_stack_trace_is_kept()
    {
        var failure = new FailureDetails("A", "b", "at Somewhere", null, false);

        Assert.DoesNotContain("Somewhere", HistoryJson.Write([new TaskFailedEvent(-1, 1, "b", null, failure)]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""[{"type":"Unheard"}]""")]
    [InlineData("""[{"type":"TimerFired","when":1}]""")]
    [InlineData("""[{"type":"TimerFired"}""")]
    public void What_is_no_turn_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => Read(json));

    private static List<HistoryEvent> Read(string json) => HistoryJson.Read(Encoding.UTF8.GetBytes(json));

    /// <summary>All properties and fields, in Durable Task's own JSON.</summary>
    private static string All(HistoryEvent e) => Newtonsoft.Json.JsonConvert.SerializeObject(e);
}
