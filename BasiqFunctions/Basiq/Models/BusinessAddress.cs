namespace BasiqFunctions.Basiq.Models;

/// <summary>Address of a business user.</summary>
public sealed record BusinessAddress
{
    /// <summary>First line.</summary>
    public string? AddressLine1 { get; init; }

    /// <summary>Second line.</summary>
    public string? AddressLine2 { get; init; }

    /// <summary>Suburb.</summary>
    public string? Suburb { get; init; }

    /// <summary>State, such as <c>NSW</c>.</summary>
    public string? State { get; init; }

    /// <summary>Postcode.</summary>
    public string? Postcode { get; init; }

    /// <summary>Three-letter country code, such as <c>AUS</c>.</summary>
    public string? CountryCode { get; init; }

    /// <summary>The type's name alone: every field is personal data.</summary>
    public override string ToString() => nameof(BusinessAddress);
}
