using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>
/// Keeps syncs from bringing back what has just been removed: a repeated StartSync, a browser that comes back again and late news of a
/// job all may start one after the consent has ended.
/// </summary>
/// <remarks>
/// Basiq is asked only for users of whom everything was removed before, be that still under way. Of all others nothing can come back,
/// and their syncs need no further request.
/// </remarks>
internal sealed class ConsentCheck(DeletionReceipts receipts, ConsentEnforcement enforcement) : IConsentCheck
{
    public async Task<bool> HasEndedAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        if (await receipts.FindLastOfUserAsync(userId, cancellation) is null && !await Removals.IsUnderWayAsync(client, userId, cancellation))
            return false;
        return !await enforcement.IsConsentInForceAsync(userId, cancellation);
    }
}
