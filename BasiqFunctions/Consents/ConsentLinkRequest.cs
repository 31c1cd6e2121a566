using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Consents;

/// <summary>What CreateConsentLink is asked for; everything is optional.</summary>
/// <param name="Action">What the person is to do there; none for a first consent.</param>
/// <param name="InstitutionId">The bank, to skip the picker.</param>
/// <param name="ConnectionId">The connection to update or reauthorise.</param>
/// <param name="ReturnUrl">Where the person goes afterwards.</param>
public sealed record ConsentLinkRequest(string? Action, string? InstitutionId, string? ConnectionId, string? ReturnUrl);

/// <summary>What CreateConsentLink takes (Basiq, Consent UI parameters).</summary>
public sealed class ConsentLinkRequestValidator : AbstractValidator<ConsentLinkRequest>
{
    /// <summary>Checks return URLs against the allow list.</summary>
    public ConsentLinkRequestValidator(ReturnUrls returnUrls)
    {
        RuleFor(link => link.Action)
            .Must(action => action is null or "connect" or "manage" or "extend" or "update" or "reauthorise")
            .WithMessage("must be connect, manage, extend, update or reauthorise.");
        RuleFor(link => link.InstitutionId).Matches(@"\A[A-Z]{2}[0-9]{5}\z")
            .WithMessage("must be two capital letters and five digits, such as AU00000.");
        RuleFor(link => link.ConnectionId).IsId();
        RuleFor(link => link.ConnectionId).NotNull().When(NeedsConnection)
            .WithMessage("is required with the actions update and reauthorise.");
        RuleFor(link => link.ConnectionId).Null().Unless(NeedsConnection)
            .WithMessage("is allowed only with the actions update and reauthorise.");
        RuleFor(link => link.ReturnUrl).Must(url => url is null || returnUrls.Allowed(url) is not null)
            .WithMessage("must be an absolute URL allowed by the setting Consent:ReturnUrls.");
    }

    private static bool NeedsConnection(ConsentLinkRequest link) => link.Action is "update" or "reauthorise";
}
