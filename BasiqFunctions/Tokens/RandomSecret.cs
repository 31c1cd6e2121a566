using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tokens;

/// <summary>A random secret that the first instance to need it makes and all others read.</summary>
internal static class RandomSecret
{
    private const string MadeAtTag = "madeAt";

    /// <summary>How long Key Vault may take in all, a recovery aside: behind this waits a caller.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets a secret's text as UTF-8 bytes; where there is none, stores 32 random bytes (base64). Key Vault cannot store "only
    /// if absent", so instances that race all settle on the version that was made first, and make it the latest again. A secret that
    /// was deleted is recovered: what it signed or sealed is still around.
    /// </summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or Key Vault took too long.</exception>
    internal static async Task<byte[]> GetOrCreateAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await ReadAsync(secrets, name, version: null, either.Token) is { } existing)
                return Encoding.UTF8.GetBytes(existing.Value);

            patience.CancelAfter(Patience + DeletedSecret.Patience);
            return await DeletedSecret.RecoverForAsync(
                secrets,
                name,
                timeProvider,
                logger,
                async token => await ReadAsync(secrets, name, version: null, token) is { } recovered
                    ? Encoding.UTF8.GetBytes(recovered.Value)
                    : await CreateAsync(secrets, name, timeProvider, token),
                either.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            KeyVaultErrors.Report(logger, "read or make", name, exception);
            throw;
        }
    }

    private static async Task<byte[]> CreateAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
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
