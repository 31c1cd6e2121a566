using Azure.Core;
using Microsoft.Extensions.Configuration;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// The storage account that <c>AzureWebJobsStorage</c> names: a connection string, or <c>AzureWebJobsStorage__accountName</c> or
/// the service's own URI (<c>__blobServiceUri</c>, <c>__tableServiceUri</c>) with the app's identity, and <c>__clientId</c> for a
/// user-assigned one, as the Functions host takes them (Microsoft Learn, "Connecting to host storage with an identity").
/// </summary>
internal static class HostStorage
{
    /// <summary>Name of the setting.</summary>
    public const string Setting = "AzureWebJobsStorage";

    /// <summary>Makes the client of one of the account's services.</summary>
    /// <param name="configuration">The app's settings.</param>
    /// <param name="service">The service as its host names have it: <c>blob</c> or <c>table</c>.</param>
    /// <param name="byConnectionString">Makes the client of a connection string.</param>
    /// <param name="byIdentity">Makes the client of an address and the app's identity.</param>
    /// <exception cref="InvalidOperationException">
    /// A setting is missing or wrong; the message names it and does not quote it.
    /// </exception>
    public static TClient Connect<TClient>(
        IConfiguration configuration, string service, Func<string, TClient> byConnectionString, Func<Uri, TokenCredential, TClient> byIdentity)
    {
        var section = configuration.GetSection(Setting);
        if (!string.IsNullOrWhiteSpace(section.Value))
        {
            try
            {
                return byConnectionString(section.Value);
            }
            catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
            {
                throw new InvalidOperationException($"{Setting} is not a storage connection string.");
            }
        }

        if (AddressOf(section, $"{service}ServiceUri") is { } address)
            return byIdentity(address, Credential(section));
        if (section["accountName"] is { Length: > 0 } account)
        {
            return account.Length is >= 3 and <= 24 && account.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
                ? byIdentity(new Uri($"https://{account}.{service}.core.windows.net"), Credential(section))
                : throw new InvalidOperationException($"{Setting}__accountName is not the name of a storage account.");
        }

        // The host needs the blob service alone: who names no other means the same account's.
        if (AddressOf(section, "blobServiceUri") is { } blobs && blobs.Host.Split('.') is [var name, "blob", .. var rest])
            return byIdentity(new UriBuilder(blobs) { Host = string.Join('.', [name, service, .. rest]) }.Uri, Credential(section));
        throw new InvalidOperationException(
            $"{Setting} is not set: give a connection string, or {Setting}__accountName or {Setting}__{service}ServiceUri to use the app's identity.");
    }

    private static Uri? AddressOf(IConfigurationSection section, string key)
    {
        if (section[key] is not { Length: > 0 } text)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback)
            ? address
            : throw new InvalidOperationException($"{Setting}__{key} is not an https address.");
    }

    private static TokenCredential Credential(IConfigurationSection section) =>
        AppCredential.Choose(Environment.GetEnvironmentVariable, section["clientId"]);
}
