using Azure.Core;
using Azure.Identity;

namespace BasiqFunctions.Tokens;

/// <summary>
/// Who the app is to Key Vault: in Azure its managed identity alone, elsewhere the developer's own tools. A narrow chain fails fast
/// and never signs in with a credential that nobody meant (Microsoft Learn, "Credential chains in the Azure Identity library for .NET").
/// </summary>
internal static class KeyVaultCredential
{
    /// <summary>Set by the platform where an app has a managed identity.</summary>
    internal const string IdentityEndpoint = "IDENTITY_ENDPOINT";

    /// <summary>Which user-assigned identity; without it the system-assigned one.</summary>
    internal const string ClientId = "AZURE_CLIENT_ID";

    /// <param name="environment">Reads an environment variable.</param>
    public static TokenCredential Choose(Func<string, string?> environment) =>
        string.IsNullOrEmpty(environment(IdentityEndpoint))
            ? new DefaultAzureCredential(DeveloperTools())
            : new ManagedIdentityCredential(Identity(environment));

    internal static ManagedIdentityId Identity(Func<string, string?> environment) =>
        environment(ClientId) is { Length: > 0 } clientId
            ? ManagedIdentityId.FromUserAssignedClientId(clientId)
            : ManagedIdentityId.SystemAssigned;

    internal static DefaultAzureCredentialOptions DeveloperTools() => new()
    {
        ExcludeEnvironmentCredential = true,
        ExcludeWorkloadIdentityCredential = true,
        ExcludeManagedIdentityCredential = true,
        ExcludeInteractiveBrowserCredential = true,
    };
}
