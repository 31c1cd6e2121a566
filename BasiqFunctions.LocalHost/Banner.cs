using BasiqFunctions.Basiq;
using BasiqFunctions.LocalHost.Functions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.LocalHost;

/// <summary>What a developer sees when the host is up.</summary>
internal static class Banner
{
    public static void Write(TextWriter output, LocalHostApplication host)
    {
        var functions = host.Services.GetRequiredService<FunctionCatalog>();
        output.WriteLine();
        output.WriteLine($"Functions: {new Uri(host.Url, "api")}");
        foreach (var function in functions.Http)
        {
            output.WriteLine(
                $"  {string.Join(',', function.Methods).ToUpperInvariant(),-8} /api/{function.Route,-60} {function.Name}");
        }

        foreach (var timer in functions.Timers)
            output.WriteLine($"  timer    {timer.Schedule,-65} {timer.Name}");
        output.WriteLine();
        output.WriteLine($"Console:   {host.Url}");
        output.WriteLine($"Reference: {new Uri(host.Url, "reference")}");
        output.WriteLine(host.SandboxUrl is { } sandbox
            ? $"Basiq:     simulated at {sandbox} (no Basiq:ApiKey is set)"
            : $"Basiq:     {host.Services.GetRequiredService<IOptions<BasiqOptions>>().Value.BaseUrl}, with the configured API key");
        if (host.SandboxUrl is not null)
            output.WriteLine(host.SubscribesToSandbox
                ? "Webhooks:  this host has the sandbox send them here (not with LocalHost:SubscribeToSandbox=false)"
                : "Webhooks:  as PUT /api/webhooks/basiq/subscription has it (LocalHost:SubscribeToSandbox is false)");
        output.WriteLine("Ctrl-C stops.");
        output.WriteLine();
    }
}
