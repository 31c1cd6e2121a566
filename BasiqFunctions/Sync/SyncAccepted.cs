using BasiqFunctions.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Sync;

/// <summary>The answer of everything that starts a sync: 202, and where to ask for it.</summary>
internal static class SyncAccepted
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>202 with <c>Location</c> and <c>Retry-After</c>.</summary>
    public static IResult For(SyncAnswer sync)
    {
        var url = $"/api/users/{Uri.EscapeDataString(sync.UserId)}/syncs/{Uri.EscapeDataString(sync.SyncId)}";
        return new JsonAnswer<SyncStarted>(
            StatusCodes.Status202Accepted, new SyncStarted(sync.SyncId, sync.Status, url), SyncJson.Default.SyncStarted)
        {
            Location = url,
            RetryAfter = AskAgainAfter,
        };
    }
}
