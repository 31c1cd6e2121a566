using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Notifications;
using BasiqFunctions.Reports;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>What a report costs: calls to Basiq, steps of the stores, activities and turns.</summary>
internal sealed class ReportCosts : IPart
{
    private const int Transactions = 500;

    public string Name => "reports";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        // One after the other, and each waits before it looks at its job.
        var count = effort is Effort.Full ? 20 : 3;
        await using var stage = await SyncStage.StartAsync(3, Transactions, "--Sandbox:Webhooks=false", "--Sandbox:ReportLimit=100000");
        var people = await stage.ConsentAsync(count);
        await stage.SyncAsync(people);
        await stage.EndHostAsync();
        ConcurrentQueue<string> steps = [];
        await using var services = SweepStage.Compose(
            stage, [], steps.Enqueue, typeof(ReportOrchestration), typeof(ReportActivities), typeof(DeliveryOrchestration), typeof(DeliveryActivities));
        var engine = services.GetRequiredService<OrchestrationEngine>();
        await engine.StartAsync(CancellationToken.None);
        try
        {
            var client = services.GetRequiredService<DurableTaskClient>();

            // One before, so that what is done once in a process, or once a day, is not a report's.
            await MakeAsync(people[0].UserId);
            var before = await stage.RequestsAsync();
            steps.Clear();
            var start = Stopwatch.GetTimestamp();
            List<KeptReport> made = [];
            foreach (var (userId, _) in people)
                made.Add(await MakeAsync(userId));
            var (took, making, calls) = (Stopwatch.GetElapsedTime(start), steps.ToArray(), await stage.RequestsAsync() - before);
            steps.Clear();
            var store = services.GetRequiredService<ReportStore>();
            long bytes = 0;
            foreach (var report in made)
                bytes += (await store.ReadAsync((await store.FindAsync(report.OwnerId, report.ReportId, CancellationToken.None))!, ReportPart.Json, CancellationToken.None))!.Length;
            var reading = steps.Count;
            var (activities, turns) = await JournalAsync(Path.Combine(stage.State.Path, "sweeps.db"), made);
            double Each(double of) => of / made.Count;
            return new PartReport(
                Name,
                FormattableString.Invariant(
                    $"{count} reports of three accounts with {Transactions} transactions each, one after the other, of a sandbox that makes each at once: one look at the job. Made in this process, on LocalHost's engine, over SQLite and files; a step is one operation of a store. Reading is of the JSON, its row looked up first. An activity is counted as often as it ran, and nobody has subscribed to notifications."),
                [
                    new Table(
                        "A report",
                        "reports",
                        [
                            new("seconds", 2), new("calls to Basiq", 2), new("steps", 2), new("of tables", 2), new("of blobs", 2), new("activities", 2),
                            new("turns", 2), new("steps to read", 2), new("bytes of JSON"),
                        ],
                        [
                            new Row(
                                made.Count.ToString(CultureInfo.InvariantCulture), Each(took.TotalSeconds), Each(calls), Each(making.Length),
                                Each(making.Count(step => !IsOfBlobs(step))), Each(making.Count(IsOfBlobs)), Each(activities), Each(turns), Each(reading), Each(bytes)),
                        ]),
                ],
                [new Goal("calls to Basiq a report", Each(calls), 10, IsLeast: false), new Goal("steps a report", Each(making.Length), 40, IsLeast: false)]);

            async Task<KeptReport> MakeAsync(string userId)
            {
                var report = await services.GetRequiredService<UserReports>().StartAsync(
                    client, new(userId), new(Guid.NewGuid().ToString("N")), new ReportRequest(ReportRequest.Affordability), CancellationToken.None);
                var ended = await client.WaitForInstanceCompletionAsync(UserReports.InstanceIdFor(report), getInputsAndOutputs: true, CancellationToken.None);
                return ended.ReadOutputAs<string>() is "ready" ? report : throw new InvalidOperationException($"A report ended {ended.RuntimeStatus} with {ended.SerializedOutput}.");
            }
        }
        finally
        {
            await engine.StopAsync(CancellationToken.None);
        }
    }

    private static bool IsOfBlobs(string step) => step.Contains(".reports/", StringComparison.Ordinal);

    private static async Task<(long Activities, long Turns)> JournalAsync(string file, IReadOnlyCollection<KeptReport> made)
    {
        await using var database = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        await database.OpenAsync();
        var (activities, turns) = (0L, 0L);
        foreach (var report in made)
        {
            activities += await CountAsync("activity_runs");
            turns += await CountAsync("turns");

            async Task<long> CountAsync(string table)
            {
                await using var command = database.CreateCommand();
#pragma warning disable CA2100 // One of two tables.
                command.CommandText = $"SELECT count(*) FROM {table} WHERE instance_id = $instance";
#pragma warning restore CA2100
                command.Parameters.AddWithValue("$instance", UserReports.InstanceIdFor(report));
                return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
            }
        }

        return (activities, turns);
    }
}
