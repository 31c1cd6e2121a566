using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>
/// What notifications are signed with: for each subscription a secret, and for a while after that was replaced
/// (<see cref="NotificationOptions.SecretOverlap"/>) the one before it as well. All of them are one secret of Key Vault, so that a role on
/// that one is enough.
/// </summary>
internal sealed class NotificationSecrets(
    SecretClient vault, IOptions<NotificationOptions> options, TimeProvider clock, ILogger<NotificationSecrets> logger)
{
    /// <summary>After which secrets in memory are read anew.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int MostAttempts = 20;

    private readonly CachedSecret<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>> _secrets = new(
        async _ =>
        {
            using var patience = new CancellationTokenSource(Patience, clock);
            try
            {
                return await ReadAsync(vault, patience.Token);
            }
            catch (Exception exception)
            {
                KeyVaultErrors.Report(logger, clock, "read", SecretNames.NotificationSecrets, exception);
                throw;
            }
        },
        Lifetime,
        Lifetime,
        clock);

    /// <summary>Makes a new secret for a subscription, and gives its text.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async Task<string> MakeAsync(string subscription, CancellationToken cancellation)
    {
        var made = StandardWebhooks.SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var overlaps = clock.GetUtcNow() + options.Value.SecretOverlap;
        await ChangeAsync(
            secrets => secrets.GetValueOrDefault(subscription, []) is var before && before.Any(secret => secret.Text == made)
                ? secrets
                : secrets.SetItem(
                    subscription, [new SigningSecret(made, null), .. before.Select(secret => secret.Until is null ? secret with { Until = overlaps } : secret).Where(IsValid)]),
            cancellation);
        return made;
    }

    /// <summary>Forgets the secrets of a subscription.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public Task RemoveAsync(string subscription, CancellationToken cancellation) =>
        ChangeAsync(secrets => secrets.Remove(subscription), cancellation);

    /// <summary>The keys to sign with, the current one first; none when there is no secret.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetKeysAsync(string subscription, CancellationToken cancellation) =>
        [.. (await _secrets.GetAsync(cancellation)).GetValueOrDefault(subscription, []).Where(IsValid).Select(secret => StandardWebhooks.KeyOf(secret.Text)!)];

    private bool IsValid(SigningSecret secret) => !(secret.Until <= clock.GetUtcNow());

    /// <summary>Key Vault takes whatever is stored last: whoever stored looks whether somebody else has overwritten it meanwhile, and then does it again.</summary>
    private async Task ChangeAsync(
        Func<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>, ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>> change,
        CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var secrets = await ReadAsync(vault, cancellation);
            var changed = change(secrets);
            if (changed == secrets)
            {
                _secrets.Forget();
                return;
            }

            var stored = new KeyVaultSecret(
                SecretNames.NotificationSecrets, JsonSerializer.Serialize(changed, AppJson.Of<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>>()))
            {
                Properties = { ContentType = "application/json" },
            };
            await DeletedSecrets.RecoverForAsync(
                vault, stored.Name, clock, logger, async token => (await vault.SetSecretAsync(stored, token)).Value, cancellation);
        }

        throw new InvalidOperationException($"The secret {SecretNames.NotificationSecrets} changed {MostAttempts} times while it was being stored.");
    }

    private static async Task<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>> ReadAsync(SecretClient vault, CancellationToken cancellation)
    {
        try
        {
            var found = (await vault.GetSecretAsync(SecretNames.NotificationSecrets, cancellationToken: cancellation)).Value.Value;
            return JsonSerializer.Deserialize(found, AppJson.Of<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>>())!;
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            return ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>.Empty;
        }
    }
}

/// <summary>A secret of a subscription.</summary>
/// <param name="Text">As the team was given it.</param>
/// <param name="Until">When it ends, since another one has taken its place; null of the current one.</param>
internal sealed record SigningSecret(string Text, DateTimeOffset? Until);
