using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Reports;

/// <summary>MatchIdentity's body: what the team was told of the person.</summary>
/// <param name="Name">The whole name.</param>
/// <param name="DateOfBirth">The date of birth, <c>yyyy-MM-dd</c>.</param>
/// <param name="Address">The address in one line.</param>
internal sealed record IdentityMatchRequest(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("dateOfBirth")] string? DateOfBirth,
    [property: JsonPropertyName("address")] string? Address)
{
    /// <summary>Not what it says.</summary>
    public override string ToString() => nameof(IdentityMatchRequest);
}

/// <summary>What MatchIdentity takes.</summary>
internal sealed class IdentityMatchValidator : AbstractValidator<IdentityMatchRequest>
{
    private const int MostNameLength = 200;
    private const int MostAddressLength = 300;

    public IdentityMatchValidator()
    {
        RuleFor(request => request.Name).IsLine(MostNameLength);
        RuleFor(request => request.Name).Must(name => name is null || name.Any(char.IsLetter)).WithMessage("must have a letter.");
        RuleFor(request => request.DateOfBirth).Must(date => date is null || TryDate(date, out _)).WithMessage("must be a date as yyyy-MM-dd, such as 1985-05-25.");
        RuleFor(request => request.Address).IsLine(MostAddressLength);
        RuleFor(request => request.Address).Must(address => address is null || address.Any(char.IsLetterOrDigit)).WithMessage("must have a letter or a digit.");
        RuleFor(request => request.Name).Must((request, name) => (name ?? request.DateOfBirth ?? request.Address) is not null)
            .WithMessage("or dateOfBirth or address is required.");
    }

    /// <summary>Reads a date as callers write it.</summary>
    internal static bool TryDate(string text, out DateOnly date) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);
}
