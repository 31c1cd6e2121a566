namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// What a user is created with or changed to; null leaves a field out. A new user needs e-mail or mobile
/// (Basiq, API reference: Create a user).
/// </summary>
public sealed record UserDetails
{
    /// <summary>E-mail address.</summary>
    public string? Email { get; init; }

    /// <summary>Mobile number in E.164, such as <c>+61410888666</c>.</summary>
    public string? Mobile { get; init; }

    /// <summary>First name.</summary>
    public string? FirstName { get; init; }

    /// <summary>Middle name.</summary>
    public string? MiddleName { get; init; }

    /// <summary>Last name.</summary>
    public string? LastName { get; init; }

    /// <summary>Name of the business.</summary>
    public string? BusinessName { get; init; }

    /// <summary>ABN or ACN of the business.</summary>
    public string? BusinessIdNo { get; init; }

    /// <summary><c>ABN</c> or <c>ACN</c>.</summary>
    public string? BusinessIdNoType { get; init; }

    /// <summary>Address of the business.</summary>
    public BusinessAddress? BusinessAddress { get; init; }

    /// <summary>Whether the business has been verified.</summary>
    public bool? VerificationStatus { get; init; }

    /// <summary>When it was verified, in the caller's notation.</summary>
    public string? VerificationDate { get; init; }

    /// <summary>The type's name alone: every field is personal data.</summary>
    public override string ToString() => nameof(UserDetails);
}
