using System.Text.Json;
using BasiqFunctions.Benchmarks;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Parts;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Upstream;

switch (args)
{
    case [Roles.Load]:
        await LoadGenerator.ServeAsync(Console.In, Console.Out);
        return 0;
    case [Roles.Upstream, .. var rest]:
        await FixedUpstream.RunAsync(rest);
        return 0;
    case [Roles.Proxy, var destination, .. var rest]:
        await BareProxy.RunAsync(destination, rest);
        return 0;
}

IPart[] parts = [new Throughput(), new Institutions(), new Start(), new SyncsAtOnce(), new BigAccount(), new Refreshes(), new Changes(), new Exports(), new Notifications(), new Detection(), new Webhooks(), new Sweeps(), new ReportCosts(), new Replay(), new HotPieces()];
BenchmarkOptions options;
try
{
    options = BenchmarkOptions.Parse(args, [.. parts.Select(part => part.Name)], ["throughput", "start", "syncs"]);
}
catch (ArgumentException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message} Usage: {BenchmarkOptions.Usage}");
    return 2;
}

var machine = Machine.Describe();
Console.WriteLine(machine);
Console.WriteLine();
List<PartReport> reports = [];
foreach (var part in parts.Where(part => options.Parts.Contains(part.Name)))
{
    var report = await part.RunAsync(options.Effort);
    if (options.Effort is Effort.Check)
        report = report with { Goals = [.. report.Goals.Select(goal => goal.Halved)] };
    reports.Add(report);
    Console.WriteLine(Markdown.Of(report));
}

if (options.Out is { } folder)
{
    Directory.CreateDirectory(folder);
    var report = new BenchmarkReport(DateTimeOffset.UtcNow, string.Join(' ', args), machine, reports);
    await File.WriteAllTextAsync(Path.Combine(folder, "benchmarks.json"), JsonSerializer.Serialize(report, ReportJson.Default.BenchmarkReport));
    if (reports.FirstOrDefault(r => r.Part == "big-account") is { } bigAccount)
        await File.WriteAllTextAsync(Path.Combine(folder, "cost-against-size.svg"), BigAccount.Plotted(bigAccount));
}

return reports.SelectMany(report => report.Goals).All(goal => goal.IsMet) ? 0 : 1;
