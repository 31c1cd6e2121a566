using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace BasiqFunctions.Benchmarks.Upstream;

/// <summary>YARP with one route, one destination and nothing else: what no program that talks HTTP on both sides can be expected to beat.</summary>
internal static class BareProxy
{
    public static async Task RunAsync(string destination, string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "basiq", Match = new RouteMatch { Path = "{**path}" } }],
            [
                new ClusterConfig
                {
                    ClusterId = "basiq",
                    Destinations = new Dictionary<string, DestinationConfig> { ["basiq"] = new() { Address = destination } },
                },
            ]);
        var app = builder.Build();
        app.MapReverseProxy();
        await app.RunAsync();
    }
}
