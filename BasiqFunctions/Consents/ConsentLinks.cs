using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Connections.Institutions;
using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>Makes the links that bring a person to Basiq's consent page.</summary>
public sealed class ConsentLinks(
    IBasiqClient basiq, ConsentStates states, ReturnUrls returnUrls, InstitutionCatalog institutions, IOptions<BasiqOptions> options, TimeProvider clock)
{
    /// <summary>A link for one user, with a client token of its own.</summary>
    /// <exception cref="ProblemException">Basiq knows no such bank.</exception>
    /// <exception cref="BasiqException">Basiq gave no token, or does not know the user.</exception>
    public async Task<ConsentLink> CreateAsync(UserId userId, ConsentLinkRequest request, CancellationToken cancellation)
    {
        if (request.InstitutionId is { } institutionId && !await MayExistAsync(institutionId, cancellation))
            throw new ProblemException(Problem.InvalidInput("institutionId", "is the id of no bank that Basiq knows; GET institutions lists them."));
        var state = await states.IssueAsync(userId, returnUrls.Allowed(request.ReturnUrl), cancellation, connectsNoBank: request.Action is "manage" or "extend");
        // Counted from before the request: a link that says it works does.
        var askedAt = clock.GetUtcNow();
        var token = await basiq.CreateClientTokenAsync(userId, cancellation);
        var url = new StringBuilder(options.Value.ConsentUrl);
        Add("token", token.AccessToken);
        Add("state", state);
        Add("action", request.Action);
        Add("institutionId", request.InstitutionId);
        Add("connectionId", request.ConnectionId);
        return new ConsentLink(url.ToString(), askedAt.AddSeconds(token.ExpiresIn));

        void Add(string name, string? value)
        {
            if (value is not null)
                url.Append(name == "token" ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }

    /// <summary>Whether there is such a bank. Where no list can be had, Basiq's page is left to say so.</summary>
    private async Task<bool> MayExistAsync(string institutionId, CancellationToken cancellation)
    {
        try
        {
            return (await institutions.GetAsync(cancellation)).Find(institutionId) is not null;
        }
        catch (BasiqException)
        {
            return true;
        }
    }
}

/// <summary>CreateConsentLink's answer.</summary>
/// <param name="Url">Where to send the browser. It holds a client token and is a secret.</param>
/// <param name="ExpiresAt">Until when the consent page takes it.</param>
public sealed record ConsentLink(
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("expiresAt")] DateTimeOffset ExpiresAt)
{
    /// <summary>The expiry alone, never the URL.</summary>
    public override string ToString() => $"{nameof(ConsentLink)} (expires {ExpiresAt:u})";
}
