using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using DurableTask.Core;
using DurableTask.Core.History;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>What it takes LocalHost to take up an orchestration after a restart, by the length of its history.</summary>
internal sealed class Replay : IPart
{
    private const string InstanceId = "long";

    public string Name => "replay";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var rounds = effort is Effort.Full ? 5 : 1;
        List<Row> rows = [];
        foreach (var events in effort is Effort.Full ? (int[])[10, 1_000, 100_000] : [10, 1_000])
        {
            List<double> milliseconds = [];
            for (var round = -1; round < rounds; round++)
            {
                using var folder = new TemporaryFolder();
                var took = await ResumeAsync(Path.Combine(folder.Path, "journal.db"), events);
                if (round >= 0)
                    milliseconds.Add(took);
            }

            var median = Statistics.Median(milliseconds);
            rows.Add(new Row(events.ToString("N0", CultureInfo.InvariantCulture), median, 1000 * median / events));
        }

        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"From the start of the engine on a journal with one unfinished orchestration to that orchestration's end, which its whole history comes before: activities one after another, then one event; {rounds} rounds, medians."),
            [new Table("Time to resume", "events in the history", [new("ms", 2), new("µs an event", 2)], rows)],
            []);
    }

    private static async Task<double> ResumeAsync(string path, int events)
    {
        await using var journal = Journal.Open(path);
        await WriteHistoryAsync(journal, events / 2);
        await using var services = new ServiceCollection().BuildServiceProvider();
        using var engine = new OrchestrationEngine(
            journal, FunctionCatalog.Of(typeof(LongHistory)), services, TimeProvider.System, NullLoggerFactory.Instance, new LocalHostOptions());
        var client = new LocalDurableTaskClient(engine, journal, TimeProvider.System);

        var start = Stopwatch.GetTimestamp();
        await engine.StartAsync(CancellationToken.None);
        await client.RaiseEventAsync(InstanceId, LongHistory.End, null, CancellationToken.None);
        var ended = await client.WaitForInstanceCompletionAsync(InstanceId, getInputsAndOutputs: true, CancellationToken.None);
        var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

        await engine.StopAsync(CancellationToken.None);
        var calls = events / 2L;
        return ended.SerializedOutput == (calls * (calls - 1) / 2).ToString(CultureInfo.InvariantCulture)
            ? took
            : throw new InvalidOperationException($"The orchestration ended {ended.RuntimeStatus} with {ended.SerializedOutput}.");
    }

    /// <summary>A history as the engine writes it: a turn for each result, which asks for the next activity.</summary>
    private static async Task WriteHistoryAsync(Journal journal, int calls)
    {
        var at = DateTime.UtcNow;
        var record = new InstanceRecord(
            InstanceId, LongHistory.Name, OrchestrationRuntimeStatus.Running, at, at, calls.ToString(CultureInfo.InvariantCulture));
        var start = new ExecutionStartedEvent(-1, record.Input)
        {
            Name = LongHistory.Name,
            OrchestrationInstance = new OrchestrationInstance { InstanceId = InstanceId, ExecutionId = "1" },
        };
        List<Task> writes = [WriteAsync(0, start)];
        for (var i = 0; i < calls; i++)
            writes.Add(WriteAsync(i + 1, new TaskCompletedEvent(-1, i, i.ToString(CultureInfo.InvariantCulture))));
        await Task.WhenAll(writes);

        Task WriteAsync(int turn, HistoryEvent happened)
        {
            List<HistoryEvent> events = [new OrchestratorStartedEvent(-1) { Timestamp = at }, happened];
            if (turn < calls)
                events.Add(new TaskScheduledEvent(turn, LongHistory.Step, null, FormattableString.Invariant($"[{turn}]")));
            events.Add(new OrchestratorCompletedEvent(-1));
            return journal.WriteTurnAsync(record, turn, events);
        }
    }
}
