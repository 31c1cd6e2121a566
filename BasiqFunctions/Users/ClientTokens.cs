using BasiqFunctions.Basiq;

namespace BasiqFunctions.Users;

/// <summary>Mints client tokens: one for each request, kept nowhere.</summary>
public sealed class ClientTokens(IBasiqClient basiq)
{
    /// <summary>A token bound to the user.</summary>
    /// <exception cref="BasiqException">Basiq gave none; <see cref="BasiqFailureKind.NotFound"/> when it does not know the user.</exception>
    public async Task<ClientToken> CreateAsync(string userId, CancellationToken cancellation)
    {
        try
        {
            return await basiq.CreateClientTokenAsync(userId, cancellation);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.Invalid)
        {
            // Basiq may call a user that it does not know an invalid parameter. Its own page tells, and is asked only then.
            await basiq.GetUserAsync(userId, cancellation);
            throw;
        }
    }
}
