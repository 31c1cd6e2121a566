using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Sync;

/// <summary>The answer of everything that starts a sync: 202, and where to ask for it.</summary>
internal static class SyncAccepted
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>202 with <c>Location</c> and <c>Retry-After</c>.</summary>
    public static IResult For(SyncAnswer sync)
    {
        var url = UrlOf(sync);
        return new JsonAnswer<SyncStarted>(
            StatusCodes.Status202Accepted, new SyncStarted(sync.SyncId, sync.Status, url, sync.IsStartedAgain ? true : null))
        {
            Location = url,
            RetryAfter = AskAgainAfter,
        };
    }

    /// <summary>Where to ask for a sync.</summary>
    public static string UrlOf(SyncAnswer sync) =>
        $"/api/users/{Uri.EscapeDataString(sync.UserId)}/syncs/{Uri.EscapeDataString(sync.SyncId)}";
}
