using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Reports;

/// <summary>How what the team was told of a person agrees with what the banks hold. What was not asked about is left out.</summary>
/// <param name="Name">The name.</param>
/// <param name="DateOfBirth">The date of birth.</param>
/// <param name="Address">The address.</param>
internal sealed record IdentityMatch(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("name")] FieldMatch? Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("dateOfBirth")] FieldMatch? DateOfBirth,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("address")] FieldMatch? Address)
{
    /// <summary>
    /// Compares. A joint account has identities of several people: date of birth and address are compared with those whose name fits, and
    /// with all where no name was given or none fits. Of several the best counts.
    /// </summary>
    public static IdentityMatch Of(IdentityMatchRequest asked, IReadOnlyList<Identity> identities)
    {
        var named = identities.Select(identity => (Identity: identity, Match: NameOf(asked.Name, identity))).ToArray();
        var those = named.Where(one => one.Match.Result is MatchResult.Match or MatchResult.Partial).Select(one => one.Identity).ToArray();
        var meant = those.Length > 0 ? those : identities;
        return new IdentityMatch(
            asked.Name is null ? null : FieldMatch.Best(named.Select(one => one.Match)),
            asked.DateOfBirth is { } text && IdentityMatchValidator.TryDate(text, out var date)
                ? FieldMatch.Best(meant.Where(identity => identity.DateOfBirth is not null).Select(identity => BirthDateComparison.Compare(date, identity.DateOfBirth!)))
                : null,
            asked.Address is { } address
                ? FieldMatch.Best(meant.SelectMany(identity => identity.Addresses).Select(held => AddressComparison.Compare(address, held)))
                : null);
    }

    private static FieldMatch NameOf(string? name, Identity identity) =>
        name is null ? FieldMatch.NotHeld : FieldMatch.Best(identity.Names.Select(held => NameComparison.Compare(name, held)));
}
