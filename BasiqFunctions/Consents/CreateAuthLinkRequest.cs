using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Consents;

/// <summary>What CreateAuthLink is asked for.</summary>
/// <param name="Mobile">Where the code goes that opens the link; the user's own mobile when null.</param>
internal sealed record CreateAuthLinkRequest(string? Mobile)
{
    /// <summary>Not the number.</summary>
    public override string ToString() => nameof(CreateAuthLinkRequest);
}

/// <summary>What CreateAuthLink takes.</summary>
internal sealed class CreateAuthLinkRequestValidator : AbstractValidator<CreateAuthLinkRequest>
{
    public CreateAuthLinkRequestValidator() => RuleFor(link => link.Mobile).IsMobile();
}
