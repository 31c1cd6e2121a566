using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>What a daily pass costs, by how many users there are and how many of them are due.</summary>
internal sealed class Sweeps : IPart
{
    private const int Transactions = 10;

    /// <summary>One user in so many is due.</summary>
    private const int DueOf = 100;

    /// <summary>Azurite looks through all rows of a table for each one that it is given: more take hours to write.</summary>
    private const int MostInAzurite = 10_000;

    public string Name => "sweeps";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        int[] sizes = effort is Effort.Full ? [1_000, 10_000, 100_000] : [1_000];
        List<Table> tables = [];
        List<Goal> goals = [];
        var rows = new List<Row>();
        foreach (var users in sizes)
            rows.AddRange(await MeasureAsync(users, null, goals));
        tables.Add(TableOf("LocalHost's stores (SQLite and files)", rows));

        var missing = "";
        try
        {
            rows = [];
            foreach (var users in sizes.Where(users => users <= MostInAzurite))
            {
                await using var azurite = await Azurite.StartAsync();
                rows.AddRange(await MeasureAsync(users, azurite, goals));
            }

            tables.Add(TableOf("Azurite (requests over HTTP)", rows));
        }
        catch (AzuriteException exception)
        {
            missing = $" {exception.Message}";
        }

        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"One user in {DueOf} is due. Those were fetched by LocalHost from the sandbox, one account of {Transactions} transactions each; of the others a snapshot is stored and days are noted that have not come. The pass runs in this process, on LocalHost's engine; the first time every consent is in force, the second time every one was revoked. Counted are requests to the sandbox and steps of the stores (in Azurite: requests that it was sent; not those of Durable Functions). A step is another user's when it names one. In Azurite there are {MostInAzurite:N0} users at most.{missing}"),
            tables,
            goals);
    }

    private static async Task<IReadOnlyList<Row>> MeasureAsync(int users, Azurite? azurite, List<Goal> goals)
    {
        await using var stage = await SweepStage.StartAsync(users, users / DueOf, Transactions, azurite);
        List<Row> rows = [];
        foreach (var areRevoked in new[] { false, true })
        {
            if (areRevoked)
                await stage.RevokeAllAsync();
            await stage.MakeDueAsync();
            var start = Stopwatch.GetTimestamp();
            var cost = await stage.PassAsync(areRevoked);
            var took = Stopwatch.GetElapsedTime(start);
            var due = (double)stage.Due;
            rows.Add(new Row(
                string.Create(CultureInfo.InvariantCulture, $"{users:N0}, {stage.Due:N0} due, {(areRevoked ? "removed" : "kept")}"),
                took.TotalSeconds, cost.Calls, cost.Calls / due, cost.Steps, cost.Fixed, (cost.Steps - cost.Fixed) / due, cost.Others));
            if (!areRevoked)
            {
                var where = azurite is null ? "files" : "Azurite";
                goals.Add(new Goal($"{users:N0} users, {where}: calls to Basiq a due user", cost.Calls / due, 2.2, IsLeast: false));
                goals.Add(new Goal($"{users:N0} users, {where}: storage operations a due user", (cost.Steps - cost.Fixed) / due, 10, IsLeast: false));
                goals.Add(new Goal($"{users:N0} users, {where}: storage operations of users who are not due", cost.Others, 0, IsLeast: false));
            }
        }

        return rows;
    }

    private static Table TableOf(string store, IReadOnlyList<Row> rows) => new(
        $"A daily pass, in {store}",
        "users",
        [
            new("seconds", 1), new("calls to Basiq"), new("a due user", 2), new("storage operations"), new("of them whoever is due"),
            new("the rest, a due user", 2), new("of the others"),
        ],
        rows);
}
