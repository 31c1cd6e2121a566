using BasiqFunctions.Sync;
using Spectre.Console;

namespace BasiqFunctions.LocalHost.Demo;

/// <summary>A sync as lines, one for each thing that changed: for output that nobody watches live, such as a log.</summary>
internal sealed class SyncLines(IAnsiConsole console)
{
    private readonly HashSet<string> _written = [];

    public void Write(SyncAnswer sync)
    {
        foreach (var job in sync.Jobs)
        {
            foreach (var step in job.Steps.Where(s => s.Status is not "pending"))
                WriteOnce($"  job {job.JobId}  {step.Title ?? "step",-22} {step.Status}");
        }

        if (sync.Accounts.Total > 0)
            WriteOnce($"  accounts fetched: {sync.Accounts.Fetched} of {sync.Accounts.Total}, transactions: {sync.Transactions}");
        WriteOnce($"  sync {Words.Of(sync.Status)}");
    }

    private void WriteOnce(string line)
    {
        if (_written.Add(line))
            console.WriteLine(line);
    }
}
