using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>What a reviewer would object to in a deployment, each as a sentence that names the resource.</summary>
internal static partial class SecurityRules
{
    private const string StorageAccount = "Microsoft.Storage/storageAccounts";
    private const string Vault = "Microsoft.KeyVault/vaults";
    private const string App = "Microsoft.Web/sites";

    public static IReadOnlyList<string> BrokenBy(Deployment deployment) =>
        [.. Values(deployment), .. Network(deployment), .. Identities(deployment), .. Settings(deployment), .. Outputs(deployment)];

    private static IEnumerable<string> Values(Deployment deployment)
    {
        (string Type, string Path, string Value)[] rules =
        [
            (StorageAccount, "properties.allowSharedKeyAccess", "false"),
            (StorageAccount, "properties.defaultToOAuthAuthentication", "true"),
            (StorageAccount, "properties.allowBlobPublicAccess", "false"),
            (StorageAccount, "properties.allowCrossTenantReplication", "false"),
            (StorageAccount, "properties.supportsHttpsTrafficOnly", "true"),
            (StorageAccount, "properties.minimumTlsVersion", "TLS1_2"),
            ("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", "None"),
            (Vault, "properties.enableRbacAuthorization", "true"),
            (Vault, "properties.enableSoftDelete", "true"),
            (Vault, "properties.softDeleteRetentionInDays", "90"),
            (Vault, "properties.enablePurgeProtection", "true"),
            (App, "properties.httpsOnly", "true"),
            (App, "properties.siteConfig.minTlsVersion", "1.2"),
            (App, "properties.siteConfig.scmMinTlsVersion", "1.2"),
            (App, "properties.siteConfig.ftpsState", "Disabled"),
            (App, "properties.functionAppConfig.runtime.name", "dotnet-isolated"),
            (App, "properties.functionAppConfig.runtime.version", "10.0"),
            (App, "properties.functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
            ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", "false"),
            ("Microsoft.Insights/components", "properties.DisableLocalAuth", "true"),
            ("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", "true"),
        ];
        foreach (var (type, path, value) in rules)
        {
            var resources = deployment.Of(type).ToList();
            if (resources.Count == 0)
                yield return $"There is no {type}.";
            foreach (var resource in resources.Where(resource => resource.Text(path) != value))
                yield return $"{type} {resource.Text("name")}: {path} is {resource.Text(path) ?? "missing"}, not {value}.";
        }

        string[] passwords = ["ftp", "scm"];
        foreach (var name in passwords)
        {
            if (!deployment.Of("Microsoft.Web/sites/basicPublishingCredentialsPolicies").Any(policy => NameOf(policy) == name))
                yield return $"Publishing by {name} with a password is not turned off.";
        }
    }

    private static IEnumerable<string> Network(Deployment deployment)
    {
        if (!deployment.Of("Microsoft.Network/virtualNetworks").Any())
            yield break;
        foreach (var resource in deployment.Of(StorageAccount).Concat(deployment.Of(Vault)))
        {
            if (resource.Text("properties.publicNetworkAccess") != "Disabled" || resource.Text("properties.networkAcls.defaultAction") != "Deny")
                yield return $"{resource.Text("name")} is reached from outside of the network.";
        }

        if (deployment.Only(App).Text("properties.virtualNetworkSubnetId") is null)
            yield return "The app does not call out through the network.";
        string[] groups = ["blob", "queue", "table", "vault"];
        foreach (var group in groups)
        {
            var endpoint = deployment.Of("Microsoft.Network/privateEndpoints").FirstOrDefault(candidate =>
                candidate.Text("properties.privateLinkServiceConnections")!.Contains($"\"groupIds\":[\"{group}\"]", StringComparison.Ordinal));
            if (endpoint is null)
            {
                yield return $"There is no private endpoint of {group}.";
            }
            else if (!deployment.Of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups").Any(zone =>
                zone.Text("name")!.StartsWith(endpoint.Text("name") + "/", StringComparison.Ordinal)))
            {
                yield return $"The private endpoint of {group} has no name in the network's DNS.";
            }
        }
    }

    private static IEnumerable<string> Identities(Deployment deployment)
    {
        var identity = deployment.Only("Microsoft.ManagedIdentity/userAssignedIdentities").Text("id")!;
        var app = deployment.Only(App);
        if (app.Text("identity.type") != "UserAssigned" || app.At("identity.userAssignedIdentities") is not JsonObject { Count: 1 } identities
            || !identities.ContainsKey(identity))
        {
            yield return "The app has another identity than the one of this deployment.";
        }

        if (app.Text("properties.functionAppConfig.deployment.storage.authentication.userAssignedIdentityResourceId") != identity)
            yield return "The app's packages are fetched as another identity.";
        string[] byClientId = ["AZURE_CLIENT_ID", "AzureWebJobsStorage__clientId", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"];
        foreach (var name in byClientId)
        {
            if (deployment.AppSettings.GetValueOrDefault(name) is not { } value || !value.Contains($"reference('{identity}'", StringComparison.Ordinal))
                yield return $"{name} is not that of the identity.";
        }

        if (deployment.AppSettings.GetValueOrDefault("AzureWebJobsStorage__credential") != "managedidentity")
            yield return "AzureWebJobsStorage is not reached as the identity.";
        if (deployment.AppSettings.GetValueOrDefault("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")?.Contains("Authorization=AAD", StringComparison.Ordinal) is not true)
            yield return "Telemetry is not sent as the identity.";
    }

    private static IEnumerable<string> Settings(Deployment deployment)
    {
        foreach (var (name, value) in deployment.AppSettings)
        {
            if (SecretName().IsMatch(name) || SecretValue().IsMatch(value) || name.Equals("AzureWebJobsStorage", StringComparison.OrdinalIgnoreCase))
                yield return $"The app setting {name} is, or holds, a secret.";
        }

        // Room for what the app itself refuses with an answer that says why, and for little more: the host keeps it in memory.
        if (!int.TryParse(deployment.AppSettings.GetValueOrDefault("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"), out var most)
            || most is <= JsonBody.MaxBytes or > 4 * JsonBody.MaxBytes)
        {
            yield return $"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT does not keep the host from taking bodies of more than {4 * JsonBody.MaxBytes} bytes.";
        }

        if (deployment.AppSettings.GetValueOrDefault("AzureWebJobsDisableHomepage") != "true")
            yield return "The host shows a page of its own at the root.";
    }

    private static IEnumerable<string> Outputs(Deployment deployment) =>
        from output in deployment.Outputs
        let value = output.Value!.ToJsonString()
        where SecretName().IsMatch(output.Key) || SecretValue().IsMatch(value) || value.Contains("ConnectionString", StringComparison.OrdinalIgnoreCase)
        select $"The output {output.Key} is, or holds, a secret.";

    private static string NameOf(JsonObject resource) => resource.Text("name")!.Split('/')[^1];

    /// <summary>The name of a vault gives nothing away, that of anything else with such a word might.</summary>
    [GeneratedRegex("(?<!AZURE_)KEY(?!_?VAULT)|SECRET|PASSWORD|TOKEN(?!Request)|SIGNATURE", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex("AccountKey=|SharedAccess|sig=|list[A-Za-z]*(Keys|Secrets?|Sas|Credentials)\\(|@Microsoft.KeyVault", RegexOptions.IgnoreCase)]
    private static partial Regex SecretValue();
}
