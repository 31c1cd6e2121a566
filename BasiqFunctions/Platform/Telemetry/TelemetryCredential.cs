using Azure.Core;
using Azure.Identity;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>
/// Reads the setting by which the Functions host and this app alike learn how to sign in to Application Insights (Microsoft Learn,
/// "App settings reference for Azure Functions", <c>APPLICATIONINSIGHTS_AUTHENTICATION_STRING</c>).
/// </summary>
internal static class TelemetryCredential
{
    internal const string Setting = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>
    /// The managed identity of <c>ClientId=…;Authorization=AAD</c>, the system-assigned one without a <c>ClientId</c>; null for no
    /// text: telemetry is then taken in by the connection string alone.
    /// </summary>
    /// <exception cref="InvalidOperationException">The text is neither; the message names the setting.</exception>
    internal static TokenCredential? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        string? clientId = null;
        var byEntra = false;
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (name, value) = part.Split('=', 2, StringSplitOptions.TrimEntries) is [var n, { Length: > 0 } v] ? (n, v) : throw Malformed();
            if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase))
                byEntra = value.Equals("AAD", StringComparison.OrdinalIgnoreCase) ? true : throw Malformed();
            else if (name.Equals("ClientId", StringComparison.OrdinalIgnoreCase))
                clientId = value;
            else
                throw Malformed();
        }

        if (!byEntra)
            throw Malformed();
        return new ManagedIdentityCredential(
            clientId is null ? ManagedIdentityId.SystemAssigned : ManagedIdentityId.FromUserAssignedClientId(clientId));
    }

    private static InvalidOperationException Malformed() =>
        new($"{Setting} must read Authorization=AAD or ClientId=<client id>;Authorization=AAD.");
}
