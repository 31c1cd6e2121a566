using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;

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
