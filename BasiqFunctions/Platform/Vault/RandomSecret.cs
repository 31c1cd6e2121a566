using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Vault;

/// <summary>A random secret that the first instance to need it makes and all others read.</summary>
internal static class RandomSecret
{
    private const string MadeAtTag = "madeAt";

    /// <summary>How long Key Vault may take in all, a recovery aside: behind this waits a caller.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long instances that race may take to settle; what was made later than that may be a loser's.</summary>
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Gets a secret's text as UTF-8 bytes; where there is none, stores 32 random bytes (base64). Key Vault cannot store "only
    /// if absent", so instances that race all settle on the version that was made first, and make it the latest again. A secret that
    /// was deleted is recovered: what it signed or sealed is still around.
    /// </summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or Key Vault took too long.</exception>
    internal static async Task<byte[]> GetOrCreateAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetBytes((await GetOrCreateVersionAsync(secrets, name, timeProvider, logger, cancellationToken)).Value);

    /// <summary>The same with the version that it is.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or Key Vault took too long.</exception>
    internal static async Task<KeyVaultSecret> GetOrCreateVersionAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await ReadSettledAsync(secrets, name, timeProvider, either.Token) is { } existing)
                return existing;

            patience.CancelAfter(Patience + DeletedSecrets.Patience);
            return await DeletedSecrets.RecoverForAsync(
                secrets,
                name,
                timeProvider,
                logger,
                async token => await ReadSettledAsync(secrets, name, timeProvider, token) is { } recovered
                    ? recovered
                    : await CreateAsync(secrets, name, timeProvider, token),
                either.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            KeyVaultErrors.Report(logger, timeProvider, "read or make", name, exception);
            throw;
        }
    }

    private static async Task<KeyVaultSecret> CreateAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var mine = await StoreAsync(secrets, name, NewValue(), timeProvider.GetUtcNow(), cancellationToken);
        var winner = await FirstMadeAsync(secrets, mine, cancellationToken);
        return winner == mine ? mine : await StoreAsync(secrets, name, winner.Value, MadeAt(winner.Properties), cancellationToken);
    }

    /// <summary>
    /// The latest version or, while it may be one that another instance has just made and will give up, the one that it gives up
    /// for. A version that somebody stored by hand has no tag and is taken as it is.
    /// </summary>
    private static async Task<KeyVaultSecret?> ReadSettledAsync(
        SecretClient secrets, string name, TimeProvider timeProvider, CancellationToken cancellationToken) =>
        await ReadAsync(secrets, name, version: null, cancellationToken) is not { } latest ? null
        : latest.Properties.Tags.ContainsKey(MadeAtTag) && timeProvider.GetUtcNow() - MadeAt(latest.Properties) < SettlingTime
            ? await FirstMadeAsync(secrets, latest, cancellationToken)
            : latest;

    /// <summary>The enabled version that was made before all others; the given one when there is none before it.</summary>
    private static async Task<KeyVaultSecret> FirstMadeAsync(SecretClient secrets, KeyVaultSecret latest, CancellationToken cancellationToken)
    {
        List<SecretProperties> versions = [];
        await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(latest.Name, cancellationToken))
        {
            if (version.Enabled is not false)
                versions.Add(version);
        }

        var first = versions.OrderBy(MadeAt).ThenBy(version => version.Version, StringComparer.Ordinal).FirstOrDefault();
        return first is null || first.Version == latest.Properties.Version
            ? latest
            : await ReadAsync(secrets, latest.Name, first.Version, cancellationToken) ?? latest;
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
