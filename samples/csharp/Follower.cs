using System.Data.Common;
using BasiqFunctions.Client;
using BasiqFunctions.Client.Models;
using Microsoft.Kiota.Abstractions;

namespace KeepInStep;

/// <summary>Keeps one user's rows in step.</summary>
internal sealed class Follower(BasiqFunctionsClient client, Copy copy, string userId, int pageLength) : IDisposable
{
    private readonly SemaphoreSlim _news = new(0);
    private string? _said;

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
        catch (Exception e) when (!stop.IsCancellationRequested && e is HttpRequestException or ApiException or DbException or OperationCanceledException)
        {
            // Nothing of the page has been kept: the same is read next time.
            Console.Error.WriteLine($"{userId}: {(e as Problem)?.Code ?? e.Message}; again later.");
        }
    }

    private async Task CatchUpAsync(CancellationToken stop)
    {
        var place = await copy.FindPlaceAsync(userId, stop);
        var changes = 0;
        try
        {
            await foreach (var page in client.ReadChangesAsync(userId, place.Cursor, pageLength, stop))
            {
                await copy.ApplyAsync(userId, place, page, stop);
                place = place with { Cursor = page.NextCursor };
                changes += page.Changes!.Count;
            }

            Say(changes > 0 ? $"{changes} changes taken in." : "in step.");
        }
        catch (Problem problem) when (problem.Code is "cursor-expired")
        {
            await copy.BeginAgainAsync(userId, place, stop);
            Wake();
        }
        catch (Problem problem) when (problem.Code is "consent-ended" or "no-snapshot")
        {
            // Only these words end a copy: a 404 can come from a wrong address, too.
            await copy.ForgetAsync(userId, stop);
            Say("nothing is kept of this user.");
        }
    }

    private void Say(string what)
    {
        if (what != _said)
            Console.WriteLine($"{userId}: {what}");
        _said = what;
    }
}
