using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>
/// What notifications are signed with: for each subscription a secret, and for a while after that was replaced
/// (<see cref="NotificationOptions.SecretOverlap"/>) the one before it as well. All of them are one secret of Key Vault, so that a role on
/// that one is enough.
/// </summary>
internal sealed class NotificationSecrets(
    SecretClient vault,
    [FromKeyedServices(NotificationOptions.Section)] IRecordTable table,
    IOptions<NotificationOptions> options,
    TimeProvider clock,
    ILogger<NotificationSecrets> logger)
{
    /// <summary>After which secrets in memory are read anew.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>How long whoever changes the secrets may have them alone; a recovery in Key Vault takes up to 20 seconds.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private const string Turns = "changes-of-secrets";

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
            secrets => secrets.SetItem(
                subscription,
                [
                    new SigningSecret(made, null),
                    .. secrets.GetValueOrDefault(subscription, []).Select(secret => secret.Until is null ? secret with { Until = overlaps } : secret).Where(IsValid),
                ]),
            cancellation);
        return made;
    }

    /// <summary>The secrets of a subscription.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async Task<ImmutableArray<SigningSecret>> ListAsync(string subscription, CancellationToken cancellation) =>
        (await ReadAsync(vault, cancellation)).GetValueOrDefault(subscription, []);

    /// <summary>Forgets secrets of a subscription. One that was made meanwhile, for another of that name, stays.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public Task RemoveAsync(string subscription, ImmutableArray<SigningSecret> ended, CancellationToken cancellation) => ChangeAsync(
        secrets => secrets.GetValueOrDefault(subscription, []).RemoveAll(secret => ended.Any(one => one.Text == secret.Text)) is { Length: > 0 } left
            ? secrets.SetItem(subscription, left)
            : secrets.Remove(subscription),
        cancellation);

    /// <summary>The keys to sign with, the current one first; none when there is no secret.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetKeysAsync(string subscription, CancellationToken cancellation) =>
        [.. (await _secrets.GetAsync(cancellation)).GetValueOrDefault(subscription, []).Where(IsValid).Select(secret => StandardWebhooks.KeyOf(secret.Text)!)];

    private bool IsValid(SigningSecret secret) => !(secret.Until <= clock.GetUtcNow());

    /// <summary>Key Vault takes whatever is stored last, and all subscriptions are one secret: whoever changes it has it alone.</summary>
    private async Task ChangeAsync(
        Func<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>, ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>> change,
        CancellationToken cancellation)
    {
        var turn = await TakeTurnAsync(cancellation);
        using var patience = new CancellationTokenSource(LongestTurn / 2, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            // Read again where the secret had to be recovered first: it has the other subscriptions' secrets.
            await DeletedSecrets.RecoverForAsync(
                vault,
                SecretNames.NotificationSecrets,
                clock,
                logger,
                async token =>
                {
                    var secrets = await ReadAsync(vault, token);
                    var changed = change(secrets);
                    if (changed != secrets)
                        await vault.SetSecretAsync(Stored(changed), token);
                    return changed;
                },
                either.Token);
        }
        finally
        {
            await table.TryRemoveAsync(turn, CancellationToken.None);
        }

        _secrets.Forget();
    }

    /// <summary>Waits until nobody else changes the secrets. Who died while doing so is not waited for longer than a turn may take.</summary>
    private async Task<TableRecord> TakeTurnAsync(CancellationToken cancellation)
    {
        var mine = Guid.NewGuid().ToByteArray();
        while (true)
        {
            var turn = new TableRecord(Turns, Turns, mine) { ExpiresAt = clock.GetUtcNow() + LongestTurn };
            if (await table.TryAddAsync(turn, cancellation) is { } taken)
                return taken;
            var found = await table.FindAsync(Turns, Turns, cancellation);
            if (found is { Damage: null } && found.Content.AsSpan().SequenceEqual(mine))
                return found;
            if (found is { ExpiresAt: var until } && !(until > clock.GetUtcNow() && until < turn.ExpiresAt + LongestTurn))
                await table.TryRemoveAsync(found, cancellation);
            else
                await Task.Delay(Pause, clock, cancellation);
        }
    }

    private static KeyVaultSecret Stored(ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>> secrets) => new(
        SecretNames.NotificationSecrets, JsonSerializer.Serialize(secrets, AppJson.Of<ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>>()))
    {
        Properties = { ContentType = "application/json" },
    };

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
