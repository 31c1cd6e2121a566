using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Platform.Health;
using Microsoft.DurableTask.Client;
using Spectre.Console;

namespace BasiqFunctions.LocalHost;

/// <summary>Reads the settings, and says of everything that they name whether it works.</summary>
internal static class CheckCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs the check on a host of its own, which keeps nothing in files.</summary>
    /// <returns>0 when everything works, else 1.</returns>
    public static async Task<int> RunAsync(string[] settings)
    {
        var state = Path.Combine(Path.GetTempPath(), $"basiq-functions-check-{Guid.NewGuid():N}");
        try
        {
            await using var host = await LocalHostApplication.StartAsync(
                settings,
                builder => builder.Logging.SetMinimumLevel(LogLevel.None),
                defaults: new Dictionary<string, string?>
                {
                    ["LocalHost:StateDirectory"] = state,
                    ["urls"] = "http://127.0.0.1:0",
                    ["Sandbox:Url"] = "http://127.0.0.1:0",
                    ["LocalHost:SubscribeToSandbox"] = "false",
                });
            return await RunAsync(host, AnsiConsole.Console);
        }
        finally
        {
            if (Directory.Exists(state))
                Directory.Delete(state, recursive: true);
        }
    }

    private static async Task<int> RunAsync(LocalHostApplication host, IAnsiConsole console)
    {
        foreach (var (name, hint) in SettingNames.UnknownIn(host.Services.GetRequiredService<IConfiguration>()))
            console.MarkupLineInterpolated($"[yellow]![/] There is no setting {name}.{hint}");
        if (host.SandboxUrl is not null)
            console.MarkupLine("[grey]No Basiq:ApiKey is set: Basiq is simulated.[/]");

        // Asked as a request would, with retries and time: health waits for two seconds.
        var refusal = await FindRefusalAsync(host.Services.GetRequiredService<IServerTokenProvider>());
        var troubles = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (dependency, address) in Surroundings.Of(host))
        {
            if (await Surroundings.FindTroubleAsync(dependency, address) is { } trouble)
                troubles.Add(dependency, trouble);
        }

        using var patience = new CancellationTokenSource(Patience);
        var report = await host.Services.GetRequiredService<HealthChecks>().ReportAsync(host.Services.GetRequiredService<DurableTaskClient>(), patience.Token);
        foreach (var line in report.Checks)
        {
            var mark = line.Status switch { HealthStatus.Healthy => "[green]✓[/]", HealthStatus.Degraded => "[yellow]![/]", _ => "[red]✗[/]" };
            var why = troubles.GetValueOrDefault(line.Name) ?? (line.Name is "server-token" && line.Status is not HealthStatus.Healthy ? refusal : null) ?? line.Detail ?? "works";
            console.MarkupLine($"{mark} {line.Name,-14} {Markup.Escape(why)}");
        }

        return report.Status is HealthStatus.Healthy ? 0 : 1;
    }

    private static async Task<string?> FindRefusalAsync(IServerTokenProvider tokens)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await tokens.GetAsync(patience.Token);
            return null;
        }
        catch (BasiqException exception)
        {
            return exception.Failure.Kind is BasiqFailureKind.Unauthorized
                ? "Basiq refuses the API key. Take one from Basiq's dashboard, for version 3.0, and set it as it is shown there, as Basiq:ApiKey."
                : exception.Failure.ToProblem().Detail;
        }
        catch (OperationCanceledException)
        {
            return "There was no answer in time.";
        }
    }
}
