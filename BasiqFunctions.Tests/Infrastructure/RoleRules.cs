using System.Reflection;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>Which roles the app's identity may have, and on what: these, and not one more.</summary>
internal static class RoleRules
{
    /// <summary>Microsoft Learn, "Azure built-in roles".</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = new Dictionary<string, string>
    {
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = "Storage Blob Data Contributor",
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = "Storage Queue Data Contributor",
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = "Storage Table Data Contributor",
        ["4633458b-17de-408a-b874-0445c86b69e6"] = "Key Vault Secrets User",
        ["b86a8fe4-44ce-4948-aee5-eccb2c155cd7"] = "Key Vault Secrets Officer",
        ["3913510d-42f4-4e42-8a64-420c390055eb"] = "Monitoring Metrics Publisher",
    };

    public static IReadOnlyList<string> BrokenBy(Deployment deployment)
    {
        var identity = deployment.Only("Microsoft.ManagedIdentity/userAssignedIdentities").Text("id")!;
        List<string> broken = [];
        List<string> given = [];
        foreach (var assignment in deployment.Of("Microsoft.Authorization/roleAssignments"))
        {
            var id = assignment.Text("id")!;
            var scope = id[..id.IndexOf("/providers/Microsoft.Authorization/", StringComparison.Ordinal)];
            var role = assignment.Text("properties.roleDefinitionId")!.Split('/')[^1];
            var grant = $"{Names.GetValueOrDefault(role, role)} on {Short(scope)}";
            given.Add(grant);
            if (assignment.Text("properties.principalId")?.StartsWith($"[reference('{identity}'", StringComparison.Ordinal) is not true)
                broken.Add($"{grant} is given to somebody else.");
            if (assignment.Text("properties.principalType") != "ServicePrincipal")
                broken.Add($"{grant} does not say that it is given to a service principal.");
            if (string.IsNullOrWhiteSpace(assignment.Text("properties.description")))
                broken.Add($"{grant} does not say why.");
        }

        var allowed = Allowed(deployment).ToList();
        broken.AddRange(given.Except(allowed).Select(grant => $"{grant} is given, and not needed."));
        broken.AddRange(allowed.Except(given).Select(grant => $"{grant} is needed, and not given."));
        return broken;
    }

    private static IEnumerable<string> Allowed(Deployment deployment)
    {
        var account = deployment.Only("Microsoft.Storage/storageAccounts").Text("name");
        var vault = deployment.Only("Microsoft.KeyVault/vaults").Text("name");
        using var host = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "host.json")));
        var hub = host.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("hubName").GetString()!.ToLowerInvariant();
        string[] containers =
        [
            "app-packages",
            new SnapshotOptions().Container,
            "azure-webjobs-hosts",
            "azure-webjobs-secrets",
            $"{hub}-applease",
            $"{hub}-largemessages",
            $"{hub}-leases",
        ];
        foreach (var container in containers)
            yield return $"Storage Blob Data Contributor on {account}/default/{container}";
        yield return $"Storage Queue Data Contributor on {account}";
        yield return $"Storage Table Data Contributor on {account}";

        // The API key is set by people; every other secret is made by the app.
        foreach (var field in typeof(SecretNames).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var secret = (string)field.GetRawConstantValue()!;
            yield return $"Key Vault Secrets {(secret == SecretNames.ApiKey ? "User" : "Officer")} on {vault}/{secret}";
        }

        yield return $"Monitoring Metrics Publisher on {deployment.Only("Microsoft.Insights/components").Text("name")}";
    }

    /// <summary>The names in a resource's id, without the types; whole groups and subscriptions as they are.</summary>
    private static string Short(string scope) =>
        scope.IndexOf("/providers/", StringComparison.Ordinal) is >= 0 and var at
            ? string.Join('/', scope[(at + "/providers/".Length)..].Split('/').Skip(1).Where((_, i) => i % 2 == 1))
            : scope;
}
