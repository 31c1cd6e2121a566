using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Consents;

/// <summary>What CreateConsentLink is asked for; everything is optional.</summary>
/// <param name="Action">What the person shall do there; none for a first consent.</param>
/// <param name="InstitutionId">The bank, to skip the picker.</param>
/// <param name="ConnectionId">The connection to update or reauthorise.</param>
/// <param name="ReturnUrl">Where the person goes afterwards.</param>
public sealed record ConsentLinkRequest(string? Action, string? InstitutionId, string? ConnectionId, string? ReturnUrl)
{
    /// <summary>Takes the fields of a request, not validated.</summary>
    internal static ConsentLinkRequest From(RequestFields fields) =>
        new(fields.Text("action"), fields.Text("institutionId"), fields.Text("connectionId"), fields.Text("returnUrl"));
}
