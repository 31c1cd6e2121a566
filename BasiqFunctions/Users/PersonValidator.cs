using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>The fields of a person, where they are given. Inherited and not included: an inclusion costs as much as its rules.</summary>
internal abstract class PersonValidator : AbstractValidator<UserDetails>
{
    private const int MostNameLength = 100;

    protected PersonValidator()
    {
        RuleFor(user => user.Email).Must(EmailAddress.IsAddress!).When(user => user.Email is not null)
            .WithMessage(
                "must be an e-mail address such as name@example.com: at most 254 characters, one @, no spaces or control "
                + "characters, each character in its plain, composed form (Unicode NFC and NFKC).");
        RuleFor(user => user.Mobile).IsMobile();
        RuleFor(user => user.FirstName).IsLine(MostNameLength);
        RuleFor(user => user.MiddleName).IsLine(MostNameLength);
        RuleFor(user => user.LastName).IsLine(MostNameLength);
    }
}
