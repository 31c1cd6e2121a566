using System.Data.Common;
using System.Text.Json;

namespace KeepInStep;

/// <summary>Keeps one user's rows in step.</summary>
internal sealed class Follower(Feed feed, Copy copy, string userId) : IDisposable
{
    private readonly SemaphoreSlim _news = new(0);

    /// <summary>Has it look at once: there is news of the user.</summary>
    public void Wake() => _news.Release();

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

    public void Dispose() => _news.Dispose();

    /// <summary>Waits for news, or for as long as it goes without a look: a notification can be late.</summary>
    private async Task WaitForNewsAsync(TimeSpan every, CancellationToken stop)
    {
        if (!await _news.WaitAsync(every, stop))
            return;

        // One look will do for all that were told of by now.
        while (_news.Wait(0, CancellationToken.None))
        {
        }
    }

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
