using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;

namespace BasiqFunctions.Tokens;

/// <summary>A random secret that the first instance to need it makes and all others read.</summary>
internal static class RandomSecret
{
    private const string MadeAtTag = "madeAt";

    /// <summary>
    /// Gets a secret's text as UTF-8 bytes; where there is none, stores 32 random bytes (base64). Key Vault cannot store "only
    /// if absent", so instances that race all settle on the version that was made first, and make it the latest again.
    /// </summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    internal static async Task<byte[]> GetOrCreateAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        if (await ReadAsync(secrets, name, version: null, cancellationToken) is { } existing)
            return Encoding.UTF8.GetBytes(existing.Value);

        var mine = await StoreAsync(secrets, name, NewValue(), timeProvider.GetUtcNow(), cancellationToken);
        List<SecretProperties> versions = [];
        await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(name, cancellationToken))
        {
            if (version.Enabled is not false)
                versions.Add(version);
        }

        var first = versions.OrderBy(MadeAt).ThenBy(version => version.Version, StringComparer.Ordinal).FirstOrDefault();
        if (first is null
            || first.Version == mine.Properties.Version
            || await ReadAsync(secrets, name, first.Version, cancellationToken) is not { } winner)
            return Encoding.UTF8.GetBytes(mine.Value);

        await StoreAsync(secrets, name, winner.Value, MadeAt(first), cancellationToken);
        return Encoding.UTF8.GetBytes(winner.Value);
    }

    private static string NewValue() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static DateTimeOffset MadeAt(SecretProperties version) =>
        version.Tags.TryGetValue(MadeAtTag, out var text)
        && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var madeAt)
            ? madeAt
            : version.CreatedOn ?? DateTimeOffset.MaxValue;

    private static async Task<KeyVaultSecret?> ReadAsync(
        SecretClient secrets, string name, string? version, CancellationToken cancellationToken)
    {
        try
        {
            return await secrets.GetSecretAsync(name, version, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            return null;
        }
    }

    private static async Task<KeyVaultSecret> StoreAsync(
        SecretClient secrets, string name, string value, DateTimeOffset madeAt, CancellationToken cancellationToken) =>
        await secrets.SetSecretAsync(
            new KeyVaultSecret(name, value)
            {
                Properties = { Tags = { [MadeAtTag] = madeAt.ToString("O", CultureInfo.InvariantCulture) } },
            },
            cancellationToken);
}
