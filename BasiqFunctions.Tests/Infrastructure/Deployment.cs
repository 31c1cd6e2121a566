using System.Text.Json.Nodes;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>
/// What deploying one environment would make: conditions, loops and names are worked out, values that Azure alone knows are left
/// as <c>[reference(…)]</c>.
/// </summary>
internal sealed record Deployment(string Environment, IReadOnlyList<JsonObject> Resources, JsonObject Outputs)
{
    public const string SubscriptionId = "00000000-0000-0000-0000-000000000001";
    public const string TenantId = "00000000-0000-0000-0000-000000000002";

    private static readonly Dictionary<string, Lazy<Task<Deployment>>> Compiled =
        Environments.ToDictionary(name => name, name => new Lazy<Task<Deployment>>(() => BicepCompiler.CompileAsync(name)));

    /// <summary>The environments that have parameters.</summary>
    public static IReadOnlyList<string> Environments => ["dev", "prod"];

    /// <summary>The settings of the Function App, by name.</summary>
    public IReadOnlyDictionary<string, string> AppSettings => field ??= Only("Microsoft.Web/sites").At("properties.siteConfig.appSettings")!.AsArray()
        .ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!, StringComparer.OrdinalIgnoreCase);

    /// <summary>An environment as it stands, compiled once for all tests.</summary>
    public static Task<Deployment> OfAsync(string environment) => Compiled[environment].Value;

    public static Deployment Read(string environment, string snapshot)
    {
        var root = JsonNode.Parse(snapshot)!.AsObject();
        Assert.Empty(root["diagnostics"]!.AsArray());
        return new Deployment(
            environment,
            [.. root["predictedResources"]!.AsArray().Select(resource => resource!.AsObject())],
            root["outputs"]!.AsObject());
    }

    /// <summary>The resources of a type.</summary>
    public IEnumerable<JsonObject> Of(string type) => Resources.Where(resource => resource.Text("type") == type);

    public JsonObject Only(string type) => Assert.Single(Of(type));
}
