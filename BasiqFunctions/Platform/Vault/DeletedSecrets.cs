using Azure;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Vault;

/// <summary>
/// A secret that somebody deleted: it reads as one that was never there, and nothing can be stored under its name until it is
/// recovered or purged (Microsoft Learn, "Azure Key Vault soft-delete overview").
/// </summary>
internal static class DeletedSecrets
{
    /// <summary>How long Key Vault may take to bring one back.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>How often it is looked whether the secret is back.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Does what stores a secret, once more when the secret had to be recovered first.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or the secret did not come back in time.</exception>
    internal static async Task<T> RecoverForAsync<T>(
        SecretClient secrets,
        string name,
        TimeProvider timeProvider,
        ILogger logger,
        Func<CancellationToken, Task<T>> store,
        CancellationToken cancellationToken)
    {
        try
        {
            return await store(cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.Status == 409)
        {
            // Deleted, or in the middle of it: recovered below.
        }

        using var patience = new CancellationTokenSource(Patience, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        while (true)
        {
            try
            {
                await RecoverAsync(secrets, name, logger, either.Token);
                return await store(either.Token);
            }
            catch (RequestFailedException exception) when (exception.Status is 404 or 409)
            {
                // Still being deleted, or another instance has it recovered.
                await Task.Delay(Pause, timeProvider, either.Token);
            }
        }
    }

    private static async Task RecoverAsync(SecretClient secrets, string name, ILogger logger, CancellationToken cancellationToken)
    {
        RecoverDeletedSecretOperation recovery;
        try
        {
            recovery = await secrets.StartRecoverDeletedSecretAsync(name, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            // Recovered by another instance in the meantime.
            return;
        }

        await recovery.WaitForCompletionAsync(Pause, cancellationToken);
        Log.SecretRecovered(logger, name);
    }
}
