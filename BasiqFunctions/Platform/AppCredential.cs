using Azure.Core;
using Azure.Identity;

namespace BasiqFunctions.Platform;

/// <summary>
/// Who the app is to Key Vault and storage: in Azure its managed identity alone, elsewhere the developer's own tools. A narrow chain fails fast
/// and never signs in with a credential that nobody meant (Microsoft Learn, "Credential chains in the Azure Identity library for .NET").
/// </summary>
internal static class AppCredential
{
    /// <summary>Set by the platform where an app has a managed identity.</summary>
    internal const string IdentityEndpoint = "IDENTITY_ENDPOINT";

    /// <summary>Which user-assigned identity; without it the system-assigned one.</summary>
    internal const string ClientId = "AZURE_CLIENT_ID";

    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="clientId">Which user-assigned identity, where a setting says so.</param>
    public static TokenCredential Choose(Func<string, string?> environment, string? clientId = null) =>
        string.IsNullOrEmpty(environment(IdentityEndpoint))
            ? new DefaultAzureCredential(DeveloperTools())
            : new ManagedIdentityCredential(Identity(environment, clientId));

    internal static ManagedIdentityId Identity(Func<string, string?> environment, string? clientId = null) =>
        (string.IsNullOrEmpty(clientId) ? environment(ClientId) : clientId) is { Length: > 0 } chosen
            ? ManagedIdentityId.FromUserAssignedClientId(chosen)
            : ManagedIdentityId.SystemAssigned;

    internal static DefaultAzureCredentialOptions DeveloperTools() => new()
    {
        ExcludeEnvironmentCredential = true,
        ExcludeWorkloadIdentityCredential = true,
        ExcludeManagedIdentityCredential = true,
        ExcludeInteractiveBrowserCredential = true,
    };
}
