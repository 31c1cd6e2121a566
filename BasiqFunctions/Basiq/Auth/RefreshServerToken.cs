using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// Renews the server token three times an hour, the pace that Basiq asks for, so that callers find a fresh one in Key Vault.
/// </summary>
public sealed class RefreshServerToken(IServerTokenProvider tokens)
{
    /// <summary>Mints a token and stores it. A failure is the host's to record: the next run is near.</summary>
    [Function(nameof(RefreshServerToken))]
    public Task Run([TimerTrigger("0 */20 * * * *")] TimerInfo timer, CancellationToken cancellationToken) =>
        tokens.RefreshAsync(cancellationToken);
}
