using System.Globalization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>Reads a user's details from a request.</summary>
internal static class UserDetailsReader
{
    private static readonly CreateUserValidator Create = new();
    private static readonly UpdateUserValidator Update = new();

    private static readonly string[] OnlyAtCreation =
    [
        "businessName", "businessIdNo", "businessIdNoType", "businessAddress", "verificationStatus", "verificationDate",
    ];

    /// <summary>What a user is created with.</summary>
    /// <exception cref="ProblemException">400, naming each field that is wrong.</exception>
    public static UserDetails ForCreation(RequestFields fields)
    {
        var details = Person(fields) with
        {
            BusinessName = fields.Text("businessName"),
            BusinessIdNo = fields.Text("businessIdNo"),
            BusinessIdNoType = fields.Text("businessIdNoType"),
            BusinessAddress = Address(fields.Object("businessAddress")),
            VerificationStatus = fields.Flag("verificationStatus"),
            VerificationDate = fields.Text("verificationDate"),
        };
        return fields.Validated(details, Create);
    }

    /// <summary>
    /// What is changed of a user: the fields of a person, which are all that Basiq takes here (Basiq, API reference: Update a user).
    /// </summary>
    /// <exception cref="ProblemException">400, naming each field that is wrong.</exception>
    public static UserDetails ForUpdate(RequestFields fields)
    {
        if (fields.IsEmpty)
            throw new ProblemException(Problem.InvalidInput(
                "body", "needs at least one of email, mobile, firstName, middleName and lastName."));
        foreach (var name in OnlyAtCreation)
            fields.RefuseIfGiven(name, "can be given only when the user is created.");
        return fields.Validated(Person(fields), Update);
    }

    private static UserDetails Person(RequestFields fields) => new()
    {
        Email = fields.Text("email"),
        Mobile = fields.Text("mobile"),
        FirstName = fields.Text("firstName"),
        MiddleName = fields.Text("middleName"),
        LastName = fields.Text("lastName"),
    };

    private static BusinessAddress? Address(RequestFields? fields) => fields is null
        ? null
        : new BusinessAddress
        {
            AddressLine1 = fields.Text("addressLine1"),
            AddressLine2 = fields.Text("addressLine2"),
            Suburb = fields.Text("suburb"),
            State = fields.Text("state"),
            Postcode = fields.Text("postcode"),
            CountryCode = fields.Text("countryCode"),
        };
}

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

/// <summary>What UpdateUser takes.</summary>
internal sealed class UpdateUserValidator : PersonValidator;

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
