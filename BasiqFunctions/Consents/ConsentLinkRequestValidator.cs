using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Consents;

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
        RuleFor(link => link.ConnectionId).Must(id => id is null || RouteId.IsValid(id))
            .WithMessage("must have 1 to 64 characters: letters, digits, '_' and '-'.");
        RuleFor(link => link.ConnectionId).NotNull().When(NeedsConnection)
            .WithMessage("is required with the actions update and reauthorise.");
        RuleFor(link => link.ConnectionId).Null().Unless(NeedsConnection)
            .WithMessage("is allowed only with the actions update and reauthorise.");
        RuleFor(link => link.ReturnUrl).Must(url => url is null || returnUrls.Allowed(url) is not null)
            .WithMessage("must be an absolute URL allowed by the setting Consent:ReturnUrls.");
    }

    private static bool NeedsConnection(ConsentLinkRequest link) => link.Action is "update" or "reauthorise";
}
