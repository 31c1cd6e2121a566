using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Consents;

/// <summary>What CreateAuthLink takes.</summary>
internal sealed class CreateAuthLinkRequestValidator : AbstractValidator<CreateAuthLinkRequest>
{
    public CreateAuthLinkRequestValidator() => RuleFor(link => link.Mobile).IsMobile();
}
