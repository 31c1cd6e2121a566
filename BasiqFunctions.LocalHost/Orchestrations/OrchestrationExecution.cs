using System.Globalization;
using System.Text.Json;
using DurableTask.Core;
using DurableTask.Core.Command;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Worker.Shims;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// One execution of an orchestrator by Durable Task's own executor, kept in memory from turn to turn: what is new is executed alone, and
/// a history only after a restart.
/// </summary>
internal sealed class OrchestrationExecution
{
    private readonly OrchestrationRuntimeState _state;
    private readonly TaskOrchestrationExecutor _executor;

    /// <summary>What the last turn asked for. The executor checks it against its own books when the next turn comes.</summary>
    private IReadOnlyList<HistoryEvent> _asked = [];

    private Exception? _thrown;

    /// <param name="start">The event that the execution starts with.</param>
    /// <param name="orchestrator">The orchestrator function.</param>
    /// <param name="loggerFactory">Where the orchestrator's own log lines go.</param>
    /// <param name="endedOutside">Called when the orchestrator has ended outside of a turn: it awaited what its context did not give.</param>
    public OrchestrationExecution(
        ExecutionStartedEvent start, Func<TaskOrchestrationContext, Task<object?>> orchestrator, ILoggerFactory loggerFactory,
        Action endedOutside)
    {
        Start = start;
        _state = new OrchestrationRuntimeState([start]);
        var parent = start.ParentInstance is { } p ? new ParentOrchestrationInstance(p.Name, p.OrchestrationInstance.InstanceId) : null;
        var hosted = DurableTaskShimFactory.Default.CreateOrchestration<JsonElement?, object>(start.Name, RunAsync, parent);
        _executor = new TaskOrchestrationExecutor(
            _state, new Watched(hosted, endedOutside), BehaviorOnContinueAsNew.Carryover, ErrorPropagationMode.UseFailureDetails);

        async Task<object?> RunAsync(TaskOrchestrationContext inner, JsonElement? input)
        {
            var context = new HostedOrchestrationContext(inner, input, loggerFactory);
            try
            {
                var output = await orchestrator(context);
                context.ThrowIfOutside();
                return output;
            }
            catch (Exception exception)
            {
                _thrown = exception;
                throw;
            }
        }
    }

    public ExecutionStartedEvent Start { get; }

    /// <summary>The custom status as JSON, or null when none is set.</summary>
    public string? CustomStatus { get; private set; }

    /// <summary>Executes what happened.</summary>
    /// <returns>What the orchestrator asks for, and how it ended, if it did.</returns>
    public Turn Take(IReadOnlyList<HistoryEvent> happened) => Execute(_asked, happened);

    /// <summary>Executes a turn of the history, and holds what the orchestrator asks for against what it asked for then.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">It asks for something else.</exception>
    public void Replay(IReadOnlyList<HistoryEvent> turn)
    {
        List<HistoryEvent> recorded = [.. turn.Where(IsRequest)];
        var replayed = Execute([.. _asked, .. turn.Where(e => !IsRequest(e))], []);
        if (replayed.End is { } end)
        {
            throw end.FailureDetails is { } failure && failure.ErrorType == typeof(NonDeterministicOrchestrationException).FullName
                ? new NonDeterministicOrchestrationException(failure.ErrorMessage)
                : Differs(end.Id, "it ends, which it did not when its history was written");
        }

        foreach (var asked in replayed.Requests)
        {
            if (recorded.Find(r => r.EventId == asked.EventId) is not { } before)
                throw Differs(asked.EventId, $"it asks for {Describe(asked)}, which its history does not have");
            if (Describe(before) == Describe(asked) && Content(before) != Content(asked))
            {
                throw Differs(
                    asked.EventId,
                    $"it asks for {Describe(asked)} with another {(asked is TimerCreatedEvent ? "time" : "input")} than its history has");
            }
        }

        _asked = recorded;
    }

    /// <summary>Ends a replay: whatever the last turn of the history asked for must have been asked for again.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">It was not.</exception>
    public void EndReplay() => Replay([]);

    private static bool IsRequest(HistoryEvent e) =>
        e is TaskScheduledEvent or TimerCreatedEvent or SubOrchestrationInstanceCreatedEvent or EventSentEvent;

    private static string Describe(HistoryEvent request) => request switch
    {
        TaskScheduledEvent e => $"activity {e.EventId} '{e.Name}'",
        SubOrchestrationInstanceCreatedEvent e => $"sub-orchestration {e.EventId} '{e.Name}' of instance '{e.InstanceId}'",
        EventSentEvent e => $"event {e.EventId} '{e.Name}' for instance '{e.InstanceId}'",
        TimerCreatedEvent e => $"timer {e.EventId}",
        _ => request.EventType.ToString(),
    };

    private static string? Content(HistoryEvent request) => request switch
    {
        TaskScheduledEvent e => e.Input,
        SubOrchestrationInstanceCreatedEvent e => e.Input,
        EventSentEvent e => e.Input,
        TimerCreatedEvent e => e.FireAt.ToString("O", CultureInfo.InvariantCulture),
        _ => null,
    };

    private static HistoryEvent ToEvent(OrchestratorAction action) => action switch
    {
        ScheduleTaskOrchestratorAction a => new TaskScheduledEvent(a.Id, a.Name!, null, a.Input),
        CreateTimerOrchestratorAction a => new TimerCreatedEvent(a.Id, a.FireAt),
        CreateSubOrchestrationAction a => new SubOrchestrationInstanceCreatedEvent(a.Id)
        {
            Name = a.Name,
            InstanceId = a.InstanceId,
            Input = a.Input,
        },
        SendEventOrchestratorAction a => new EventSentEvent(a.Id) { InstanceId = a.Instance!.InstanceId, Name = a.EventName, Input = a.EventData },
        _ => throw new NotSupportedException($"LocalHost does not offer {action.OrchestratorActionType}: no orchestration of this app uses it."),
    };

    private NonDeterministicOrchestrationException Differs(int id, string how) => new(
        id,
        $"orchestrator '{Start.Name}' of instance '{Start.OrchestrationInstance.InstanceId}' does not replay: {how}. Either its code "
        + "changed while the instance was running, or it depends on something that differs between runs (a clock, a random number, a static).");

    private Turn Execute(IReadOnlyList<HistoryEvent> past, IReadOnlyList<HistoryEvent> happened)
    {
        Fill(_state.PastEvents, past);
        Fill(_state.NewEvents, happened);
        _state.Events.Clear();
        var result = _executor.Execute();
        CustomStatus = result.CustomStatus;
        List<HistoryEvent> requests = [];
        OrchestrationCompleteOrchestratorAction? end = null;
        foreach (var action in result.Actions)
        {
            if (action is not OrchestrationCompleteOrchestratorAction complete)
                requests.Add(ToEvent(action));
            else if (end is not { OrchestrationStatus: OrchestrationStatus.Terminated })
                end = complete;
        }

        _asked = requests;
        return new Turn(requests, end, _thrown);
    }

    private static void Fill(IList<HistoryEvent> list, IReadOnlyList<HistoryEvent> events)
    {
        list.Clear();
        foreach (var e in events)
            list.Add(e);
    }

    /// <summary>An orchestration that tells when it has ended outside of a turn, where the executor does not see it.</summary>
    private sealed class Watched(TaskOrchestration orchestration, Action endedOutside) : TaskOrchestration
    {
        public override Task<string> Execute(OrchestrationContext context, string input)
        {
            var running = orchestration.Execute(context, input);
            running.ContinueWith(
                _ =>
                {
                    if (!OrchestrationContext.IsOrchestratorThread)
                        endedOutside();
                },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return running;
        }

        public override void RaiseEvent(OrchestrationContext context, string name, string input) =>
            orchestration.RaiseEvent(context, name, input);

        public override string GetStatus() => orchestration.GetStatus();
    }

    /// <summary>What came of a turn.</summary>
    /// <param name="Requests">What the orchestrator asks for, as events of its history.</param>
    /// <param name="End">How it ended; null when it goes on.</param>
    /// <param name="Thrown">The exception that it ended with, for the log.</param>
    internal sealed record Turn(
        IReadOnlyList<HistoryEvent> Requests, OrchestrationCompleteOrchestratorAction? End, Exception? Thrown);
}
