using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>What CreateAuthLink takes.</summary>
internal sealed class CreateAuthLinkRequestValidator : AbstractValidator<CreateAuthLinkRequest>
{
    public CreateAuthLinkRequestValidator() => RuleFor(link => link.Mobile).IsMobile();
}
