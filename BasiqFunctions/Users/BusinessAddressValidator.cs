using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Users;

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
