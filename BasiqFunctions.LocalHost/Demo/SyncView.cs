using BasiqFunctions.Sync;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace BasiqFunctions.LocalHost.Demo;

/// <summary>A sync as a table: a row for each step of each job, then what was fetched.</summary>
internal static class SyncView
{
    public static IRenderable Render(SyncAnswer sync)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"Sync: {Words.Of(sync.Status)}")
            .AddColumn("Job").AddColumn("Step").AddColumn("Status");
        foreach (var job in sync.Jobs)
        {
            var name = job.JobId.Value is { Length: > 8 } id ? id[..8] : job.JobId.Value;
            foreach (var step in job.Steps)
            {
                table.AddRow(Markup.Escape(name), Markup.Escape(step.Title ?? "step"), Status(step.Status));
                name = "";
            }
        }

        table.AddRow("", "fetch accounts", $"{sync.Accounts.Fetched} of {sync.Accounts.Total}");
        table.AddRow("", "fetch transactions", $"{sync.Transactions}");
        return table;
    }

    private static string Status(string status) => status switch
    {
        "success" => "[green]✓ success[/]",
        "failed" => "[red]✗ failed[/]",
        "in-progress" => "[yellow]… in progress[/]",
        _ => $"[grey]{Markup.Escape(status)}[/]",
    };
}
