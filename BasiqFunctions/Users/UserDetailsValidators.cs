using System.Globalization;
using System.Text;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>The fields of a person, where they are given. Inherited and not included: an inclusion costs as much as its rules.</summary>
internal abstract class PersonValidator : AbstractValidator<UserDetails>
{
    private const int MostNameLength = 100;
    private const int MostEmailLength = 254;
    private const int MostLocalLength = 64;

    protected PersonValidator()
    {
        RuleFor(user => user.Email).Must(email => email is null || IsEmail(email))
            .WithMessage("must be an e-mail address such as name@example.com: at most 254 characters, one @, no spaces or control characters.");
        RuleFor(user => user.Mobile).IsMobile();
        RuleFor(user => user.FirstName).IsLine(MostNameLength);
        RuleFor(user => user.MiddleName).IsLine(MostNameLength);
        RuleFor(user => user.LastName).IsLine(MostNameLength);
    }

    /// <summary>Whether a mail server may know it; only a mail to it could tell more (RFC 5321, section 4.5.3.1: the lengths).</summary>
    private static bool IsEmail(string text) =>
        text.Length <= MostEmailLength
        && text.Split('@') is [{ Length: > 0 and <= MostLocalLength }, { Length: > 0 }]
        && !text.EnumerateRunes().Any(c => Rune.IsWhiteSpace(c) || Rune.IsControl(c) || Rune.GetUnicodeCategory(c) is UnicodeCategory.Format);
}

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
            .WithMessage("must be an ABN: 11 digits, of which the first two check the others.");
        RuleFor(user => user.BusinessIdNo).Must(BusinessNumber.IsAcn!)
            .When(user => user is { BusinessIdNo: not null, BusinessIdNoType: "ACN" })
            .WithMessage("must be an ACN: 9 digits, of which the last checks the others.");
        RuleFor(user => user.BusinessAddress!).SetValidator(new BusinessAddressValidator())
            .When(user => user.BusinessAddress is not null);
        RuleFor(user => user.VerificationDate)
            .Must(date => date is null
                || DateOnly.TryParseExact(date, "dd/MM/yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            .WithMessage("must be a date as dd/MM/yyyy, such as 31/01/2024.");
    }
}

/// <summary>What UpdateUser takes: the fields of a person, which are all that Basiq takes here (Basiq, API reference: Update a user).</summary>
internal sealed class UpdateUserValidator : PersonValidator
{
    private const string OnlyAtCreation = "can be given only when the user is created.";

    public UpdateUserValidator()
    {
        RuleFor(user => user).Must(user => user != new UserDetails()).OverridePropertyName("body")
            .WithMessage("needs at least one of email, mobile, firstName, middleName and lastName.");
        RuleFor(user => user.BusinessName).Null().WithMessage(OnlyAtCreation);
        RuleFor(user => user.BusinessIdNo).Null().WithMessage(OnlyAtCreation);
        RuleFor(user => user.BusinessIdNoType).Null().WithMessage(OnlyAtCreation);
        RuleFor(user => user.BusinessAddress).Null().WithMessage(OnlyAtCreation);
        RuleFor(user => user.VerificationStatus).Null().WithMessage(OnlyAtCreation);
        RuleFor(user => user.VerificationDate).Null().WithMessage(OnlyAtCreation);
    }
}

/// <summary>The address of a business user. Everything is optional, as it is to Basiq.</summary>
internal sealed class BusinessAddressValidator : AbstractValidator<BusinessAddress>
{
    public BusinessAddressValidator()
    {
        RuleFor(address => address.AddressLine1).IsLine(200);
        RuleFor(address => address.AddressLine2).IsLine(200);
        RuleFor(address => address.Suburb).IsLine(100);
        RuleFor(address => address.State).IsLine(100);
        RuleFor(address => address.Postcode).Matches(@"\A[A-Za-z0-9][A-Za-z0-9 -]{2,9}\z")
            .WithMessage("must be 3 to 10 letters, digits, spaces or hyphens, such as 2095.");
        RuleFor(address => address.CountryCode).Matches(@"\A[A-Z]{3}\z")
            .WithMessage("must be three capital letters (ISO 3166), such as AUS.");
    }
}
