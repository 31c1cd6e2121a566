using System.Collections.Concurrent;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using CsCheck;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Properties;

/// <summary>
/// An orchestration waits at once for activities, timers and events. In whatever order they arrive, and wherever the host is
/// restarted between two of them, the outcome is the same.
/// </summary>
[Trait("Category", "Journeys")]
[Collection(PropertyTests.Collection)]
public sealed class ReplayProperties
{
    private const string Id = "one";
    private const string Expected = "\"a0 a1 a2 t e0 e1 b\"";

    // What arrives; Restart stands for a stop and a start of the host, from the journal.
    private static readonly string[] Deliveries = ["a0", "a1", "a2", "timer", "e0", "e1"];

    [Fact]
    public async Task Any_interleaving_of_results_timers_and_events_with_restarts_between_gives_the_same_outcome() =>
        await Gen.Select(Gen.Shuffle(Deliveries), Gen.Bool.Array[Deliveries.Length]).SampleAsync(
            async (order, restarts) => Assert.Equal(Expected, await RunAsync(order, restarts)),
            iter: 40,
            threads: 1,
            print: sample => $"{string.Join(' ', sample.Item1)} / {string.Join(' ', sample.Item2)}");

    private static async Task<string> RunAsync(string[] order, bool[] restarts)
    {
        using var state = new TemporaryDirectory();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
        var gates = new Gates();
        var engine = await StartAsync(state, clock, gates);
        try
        {
            await engine.Client.ScheduleNewOrchestrationInstanceAsync("Run", input: null, new StartOrchestrationOptions(Id));
            await SeenAsync(engine, "");
            for (var i = 0; i < order.Length; i++)
            {
                if (restarts[i])
                {
                    await engine.DisposeAsync();
                    engine = await StartAsync(state, clock, gates);
                }

                switch (order[i])
                {
                    case "timer":
                        clock.Advance(TimeSpan.FromMinutes(10));
                        break;
                    case ['a', ..] activity:
                        gates.Open(activity);
                        break;
                    case var name:
                        await engine.Client.RaiseEventAsync(Id, name, name);
                        break;
                }

                if (i < order.Length - 1)
                    await SeenAsync(engine, string.Join(' ', order[..(i + 1)].Order(StringComparer.Ordinal)));
            }

            var ended = await engine.EndOfAsync(Id);
            return ended.SerializedOutput ?? $"{ended.RuntimeStatus}: {ended.FailureDetails?.ErrorMessage}";
        }
        finally
        {
            await engine.DisposeAsync();
        }
    }

    /// <summary>The orchestrator tells by its status what has reached it: so the next delivery surely comes after this one.</summary>
    private static Task SeenAsync(EngineUnderTest engine, string what) => AppUnderTest.WaitForAsync(
        () => engine.Client.GetInstanceAsync(Id, getInputsAndOutputs: true), i => i!.SerializedCustomStatus == $"\"{what}\"");

    private static Task<EngineUnderTest> StartAsync(TemporaryDirectory state, TimeProvider clock, Gates gates) =>
        EngineUnderTest.StartAsync(state, clock, gates, typeof(Waits), typeof(Activities));

    /// <summary>Holds activities until they are let through, or the host stops.</summary>
    public sealed class Gates
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = [];

        public void Open(string name) => Gate(name).TrySetResult();

        public Task PassAsync(string name, CancellationToken cancellation) => Gate(name).Task.WaitAsync(cancellation);

        private TaskCompletionSource Gate(string name) =>
            _gates.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public sealed class Activities(Gates gates)
    {
        [Function("Hold")]
        public async Task<string> Hold([ActivityTrigger] string name, CancellationToken cancellation)
        {
            await gates.PassAsync(name, cancellation);
            return name;
        }

        [Function("Tell")]
        public static string Tell([ActivityTrigger] string text) => text;
    }

    public static class Waits
    {
        private static readonly string[] Held = ["a0", "a1", "a2"];
        private static readonly string[] Raised = ["e0", "e1"];

        [Function("Run")]
        public static async Task<string> Run([OrchestrationTrigger] TaskOrchestrationContext context)
        {
            context.SetCustomStatus("");
            List<string> seen = [];
            using var timerEnd = new CancellationTokenSource();
            var timer = context.CreateTimer(context.CurrentUtcDateTime.AddMinutes(10), timerEnd.Token);
            Task<string>[] tasks =
            [
                .. Held.Select(a => NoteAsync(context.CallActivityAsync<string>("Hold", a))),
                NoteAsync(TimedAsync()),
                .. Raised.Select(e => NoteAsync(context.WaitForExternalEvent<string>(e))),
            ];
            var all = await Task.WhenAll(tasks);
            var last = await context.CallActivityAsync<string>("Tell", "b");
            return $"{string.Join(' ', all)} {last}".Replace("timer", "t", StringComparison.Ordinal);

            async Task<string> TimedAsync()
            {
                await timer;
                return "timer";
            }

            async Task<string> NoteAsync(Task<string> task)
            {
                var name = await task;
                seen.Add(name);
                context.SetCustomStatus(string.Join(' ', seen.Order(StringComparer.Ordinal)));
                return name;
            }
        }
    }
}
