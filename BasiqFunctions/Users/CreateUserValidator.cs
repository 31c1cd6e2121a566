using System.Globalization;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>What CreateUser takes (Basiq, API reference: Create a user).</summary>
internal sealed class CreateUserValidator : PersonValidator
{
    private const int MostBusinessNameLength = 200;

    public CreateUserValidator()
    {
        RuleFor(user => user.Email).Must((user, email) => email is not null || user.Mobile is not null)
            .WithMessage("or mobile is required.");
        RuleFor(user => user.BusinessName).IsLine(MostBusinessNameLength);
        RuleFor(user => user.BusinessIdNoType).Must(type => type is null or "ABN" or "ACN")
            .WithMessage("must be ABN or ACN.");
        RuleFor(user => user.BusinessIdNoType).NotNull().When(user => user.BusinessIdNo is not null)
            .WithMessage("is required with businessIdNo: ABN or ACN.");
        RuleFor(user => user.BusinessIdNo).NotNull().When(user => user.BusinessIdNoType is not null)
            .WithMessage("is required with businessIdNoType.");
        RuleFor(user => user.BusinessIdNo).Must(BusinessNumber.IsAbn!)
            .When(user => user is { BusinessIdNo: not null, BusinessIdNoType: "ABN" })
            .WithMessage("is not an ABN: 11 digits, of which the first two check the others.");
        RuleFor(user => user.BusinessIdNo).Must(BusinessNumber.IsAcn!)
            .When(user => user is { BusinessIdNo: not null, BusinessIdNoType: "ACN" })
            .WithMessage("is not an ACN: 9 digits, of which the last checks the others.");
        RuleFor(user => user.BusinessAddress!).SetValidator(new BusinessAddressValidator())
            .When(user => user.BusinessAddress is not null);
        RuleFor(user => user.VerificationDate)
            .Must(date => date is null
                || DateOnly.TryParseExact(date, "dd/MM/yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            .WithMessage("must be a date as dd/MM/yyyy, such as 31/01/2024.");
    }
}
