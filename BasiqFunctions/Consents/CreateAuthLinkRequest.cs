using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Consents;

/// <summary>What CreateAuthLink is asked for.</summary>
/// <param name="Mobile">Where the code goes that opens the link; the user's own mobile when null.</param>
internal sealed record CreateAuthLinkRequest(string? Mobile)
{
    /// <summary>Takes the fields of a request, not validated.</summary>
    public static CreateAuthLinkRequest From(RequestFields fields) => new(fields.Text("mobile"));

    /// <summary>Not the number.</summary>
    public override string ToString() => nameof(CreateAuthLinkRequest);
}

/// <summary>What CreateAuthLink takes.</summary>
internal sealed class CreateAuthLinkRequestValidator : AbstractValidator<CreateAuthLinkRequest>
{
    public CreateAuthLinkRequestValidator() => RuleFor(link => link.Mobile).IsMobile();
}
