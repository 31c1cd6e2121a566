using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.FaultTests;

/// <summary>One run: the storm, the calm, the comparison, the table.</summary>
internal sealed class FaultRun(FaultRunOptions options)
{
    private const int AtOnce = 24;
    private const string RetentionPass = "StartDuePass";

    private static readonly TimeSpan BeforeTheNextPerson = TimeSpan.FromSeconds(1);

    private readonly Tally _tally = new();

    /// <summary>Runs and returns the table, in Markdown, and what was violated.</summary>
    public async Task<(string Table, IReadOnlyCollection<string> Violations)> RunAsync()
    {
        var watch = Stopwatch.StartNew();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(options.Minutes));
        await using var upstream = await FaultyUpstream.StartAsync(options.Seed, _tally);
        await using var host = new Host(upstream.Url);
        if (!host.Clock.CanBeSet)
            Console.WriteLine("Without jumps of the clock: libfaketime is not here, on Debian the package faketime.");
        if (host.Disk is null)
            Console.WriteLine("Without a full disk: none can be mounted here, which takes root's rights on Linux.");
        await host.StartAsync();
        using var sandbox = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = upstream.Url };
        sandbox.DefaultRequestHeaders.Add(FaultyUpstream.OwnRequest, "1");
        var readers = new FeedReaders(host, _tally, options.Seed);
        var journey = new Journey(host, upstream, sandbox, readers, _tally);
        var audit = new Audit(host, upstream, sandbox, journey, readers, _tally);
        ConcurrentBag<Outcome> outcomes = [];
        try
        {
            await StormAsync(host, upstream, journey, readers, outcomes, patience.Token);
            upstream.IsCalm = true;

            // What is compared is what a new process finds on its disk, after a daily pass has looked at everybody with a key that is refused.
            host.Kill();
            await host.MakeDueAsync(RetentionPass);
            await host.MakeDueAsync(outcomes.Select(outcome => outcome.UserId).OfType<string>().Where(userId => userId.Length > 0));
            if (host.CountDue() == 0)
                throw new InvalidOperationException("Nobody is due.");
            upstream.RefusesKey = true;
            _tally.Injected(Fault.KeyRefused);
            await host.StartAsync();
            while (host.IsDue(RetentionPass) || host.CountDue() > 0)
                await Task.Delay(200, patience.Token);
            upstream.RefusesKey = false;
            await audit.RunAsync([.. outcomes.OrderBy(o => o.Person.Number)], watch.Elapsed, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            _tally.Violated($"Not everything came to its end within {options.Minutes} minutes: {outcomes.Count(o => o.Sync is not null)} syncs did.");
        }

        catch (InvalidOperationException exception)
        {
            _tally.Violated(exception.Message);
        }

        if (_tally.Violations.Count > 0)
            await KeepOutputAsync(host.Output);
        return (Table(upstream, host, audit, readers, [.. outcomes], watch.Elapsed), _tally.Violations);
    }

    private async Task StormAsync(
        Host host, FaultyUpstream upstream, Journey journey, FeedReaders readers, ConcurrentBag<Outcome> outcomes, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var harm = new Chaos(host, upstream, _tally, options.Seed);
        var chaos = harm.RunAsync(over.Token);

        // A LocalHost that does not start again ends the run: waiting for it would tell no more.
        _ = chaos.ContinueWith(_ => over.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        var (people, syncsLeft) = (0, options.Syncs);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(AtOnce, options.Syncs)).Select(_ => LaneAsync()));
        }
        finally
        {
            await over.CancelAsync();
            await readers.StoppedAsync();
            await chaos;
        }

        async Task LaneAsync()
        {
            while (Interlocked.Decrement(ref syncsLeft) >= 0)
            {
                while (true)
                {
                    var outcome = await RunAsync(Person.Draw(options.Seed, Interlocked.Increment(ref people)));
                    outcomes.Add(outcome);
                    if (outcome.UserId is not null)
                        break;

                    // Whose creation has no known outcome, or was refused, is given up, and another person comes after a while.
                    await Task.Delay(BeforeTheNextPerson, over.Token);
                }
            }
        }

        async Task<Outcome> RunAsync(Person person)
        {
            try
            {
                return await journey.RunAsync(person, over.Token);
            }
            catch (Exception exception) when (exception is InvalidOperationException or JsonException or KeyNotFoundException
                || (exception is OperationCanceledException && !over.IsCancellationRequested))
            {
                _tally.Violated($"{person.Email}: {exception.GetType().Name}, {exception.Message}");
                return new Outcome(person, Journey.Created, "");
            }
        }
    }

    private string Table(FaultyUpstream upstream, Host host, Audit audit, FeedReaders readers, Outcome[] outcomes, TimeSpan took)
    {
        var text = new StringBuilder();
        var c = CultureInfo.InvariantCulture;
        var syncs = outcomes.Where(o => o.Sync is not null).ToArray();
        text.AppendLine(c, $"`dotnet run -c Release --project BasiqFunctions.FaultTests -- --seed {options.Seed} --syncs {options.Syncs}`");
        text.AppendLine().AppendLine("| fault | injected |").AppendLine("|---|---:|");
        foreach (var fault in Fault.All)
            text.AppendLine(c, $"| {fault} | {_tally.Of(fault):N0} |");
        text.AppendLine().AppendLine("| what came of it | |").AppendLine("|---|---:|");
        foreach (var group in syncs.GroupBy(o => o.Sync!.Value.GetProperty("status").GetString()).OrderBy(g => g.Key, StringComparer.Ordinal))
            text.AppendLine(c, $"| syncs {group.Key} | {group.Count():N0} |");
        foreach (var group in outcomes.Where(o => o.UserId is null).GroupBy(o => o.Creation).OrderBy(g => g.Key, StringComparer.Ordinal))
            text.AppendLine(c, $"| users given up at their creation, told `{group.Key}` | {group.Count():N0} |");
        text.AppendLine(c, $"| syncs repeated, for what they could not read or for a damaged snapshot | {syncs.Sum(o => o.Repeats):N0} |");
        text.AppendLine(c, $"| users deleted, as they wished | {syncs.Count(o => o.Person.Leaves):N0} |");
        text.AppendLine(c, $"| accounts compared with the sandbox's, byte by byte | {audit.Accounts:N0} |");
        text.AppendLine(c, $"| transactions compared with the sandbox's, byte by byte | {audit.Transactions:N0} |");
        text.AppendLine(c, $"| changes told to readers beside it, of whom each may pause and die | {readers.All.Sum(reader => reader.Told):N0} |");
        text.AppendLine(c, $"| readers told to begin again | {readers.All.Sum(reader => reader.Restarts):N0} |");
        text.AppendLine(c, $"| transactions of readers compared with the snapshot, byte by byte | {audit.Read:N0} |");
        text.AppendLine(c, $"| reports, one at the sandbox and the same here, byte by byte, and nowhere else | {audit.Reports:N0} |");
        text.AppendLine(c, $"| requests to the sandbox | {upstream.Requests:N0} |");
        text.AppendLine(c, $"| server tokens asked for, of them with the answer lost | {upstream.ServerTokens.Sent:N0}, {upstream.ServerTokens.Spoilt:N0} |");
        text.AppendLine(c, $"| starts of LocalHost | {host.Starts:N0} |");
        text.AppendLine(c, $"| violations | {_tally.Violations.Count:N0} |");
        text.AppendLine(c, $"| took | {took.TotalSeconds:N0} s |");
        return text.ToString();
    }

    private async Task KeepOutputAsync(string output)
    {
        var path = Path.Combine(Path.GetTempPath(), $"basiq-functions-faults-{options.Seed}.log");
        await File.WriteAllTextAsync(path, output);
        await Console.Error.WriteLineAsync($"What LocalHost wrote is kept in {path}.");
    }
}
