using BasiqFunctions.Basiq;

namespace BasiqFunctions.Removal;

/// <summary>
/// Whether the API key reads users of whom something is kept here. With the key of another application Basiq does not know any of
/// them, so that only while it reads somebody does not to know a user say something about that user.
/// </summary>
public sealed class KeyWitness(IBasiqClient basiq)
{
    /// <summary>Users who are asked for: of so many who were there yesterday one still is.</summary>
    private const int MostAsked = 10;

    /// <summary>Whether Basiq knows any of these users, of whom the first few are asked for.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    internal async Task<bool> ReadsAnyAsync(IAsyncEnumerable<UserId> users, CancellationToken cancellation)
    {
        await foreach (var userId in users.Take(MostAsked).WithCancellation(cancellation))
        {
            if (await ReadsAsync(userId, cancellation))
                return true;
        }

        return false;
    }

    /// <summary>Whether Basiq knows a user.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    internal async Task<bool> ReadsAsync(UserId userId, CancellationToken cancellation) =>
        await basiq.GetUserAsync(userId, cancellation).OrNullAsync() is not null;
}
