using System.Data.Common;
using System.Text.Json;

namespace KeepInStep;

/// <summary>Keeps one user's rows in step.</summary>
internal sealed class Follower(Feed feed, Copy copy, string userId)
{
    public async Task FollowAsync(TimeSpan every, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await TryToCatchUpAsync(stop);
                await WaitForNewsAsync(every, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whatever was under way has been rolled back, and comes again.
        }
    }

    /// <summary>
    /// The one place that waits. Who receives notifications ends the wait as soon as a <c>data.changed</c> names this user; asking now and then
    /// stays right, since a notification can be late.
    /// </summary>
    private static Task WaitForNewsAsync(TimeSpan every, CancellationToken stop) => Task.Delay(every, stop);

    private async Task TryToCatchUpAsync(CancellationToken stop)
    {
        try
        {
            await CatchUpAsync(stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested && e is HttpRequestException or JsonException or DbException or OperationCanceledException)
        {
            // Nothing of the page has been kept: the same is read next time.
            Console.Error.WriteLine($"{userId}: {e.GetType().Name}, {(e as HttpRequestException)?.StatusCode}; again later.");
        }
    }

    private async Task CatchUpAsync(CancellationToken stop)
    {
        bool hasMore;
        do
        {
            var place = await copy.FindPlaceAsync(userId, stop);
            var answer = await feed.ReadAsync(userId, place.Cursor, stop);
            if (answer.Page is { } page)
                await copy.ApplyAsync(userId, place, page, stop);
            else if (answer.HasExpired)
                await copy.BeginAgainAsync(userId, place, stop);
            else
                await copy.ForgetAsync(userId, stop);
            hasMore = answer.HasExpired || answer.Page is { HasMore: true };
        }
        while (hasMore);
    }
}
