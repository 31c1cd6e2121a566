using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform;
using BasiqFunctions.Reports;

namespace BasiqFunctions.Tests.Reports;

/// <summary>The rules by which what a team was told of a person is compared with what banks hold.</summary>
[Trait("Category", "Unit")]
public sealed class MatchTests
{
    /// <summary>The table in <c>match-pairs.txt</c>.</summary>
    public static TheoryData<string, string, string, string, string> Pairs
    {
        get
        {
            using var reader = new StreamReader(typeof(MatchTests).Assembly.GetManifestResourceStream("match-pairs.txt")!);
            TheoryData<string, string, string, string, string> pairs = [];
            var section = "";
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith('['))
                    section = line.Trim('[', ']');
                else if (!line.StartsWith('#') && line.Split('|', StringSplitOptions.TrimEntries) is [var given, var held, var result, var rule])
                    pairs.Add(section, given, held, result, rule);
            }

            return pairs;
        }
    }

    [Fact]
    public void The_table_has_two_hundred_pairs_or_more_none_twice_and_each_rule()
    {
        Assert.True(Pairs.Count >= 200);
        Assert.Equal(Pairs.Count, Pairs.Select(pair => (pair[0], pair[1], pair[2])).Distinct().Count());
        var written = Pairs.Select(pair => $"\"{pair[4]}\"").ToHashSet();
        Assert.All(Enum.GetValues<MatchRule>(), rule => Assert.Contains(JsonSerializer.Serialize(rule), written));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_matches_as_the_table_says(string field, string given, string held, string result, string rule) =>
        Assert.Equal((result, rule), Match(field, given, Identity(field, held)));

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Which_of_the_two_was_given_makes_no_difference(string field, string given, string held, string result, string rule)
    {
        // Dates of birth are given in one form, and what is not held cannot be given.
        if (field is not "dateOfBirth" && result is not "unknown" && given.Any(char.IsLetter) && held.Any(char.IsLetter))
            Assert.Equal((result, rule), Match(field, held, Identity(field, given)));
    }

    [Fact]
    public void Of_several_identities_the_best_counts()
    {
        Assert.Equal(("match", "exact"), Match("name", "Maya Okafor", Identity("name", "M Okafor"), Identity("name", "Maya Okafor")));
        Assert.Equal(("match", "exact"), Match("dateOfBirth", "1985-05-25", Identity("dateOfBirth", "1970-01-01"), Identity("dateOfBirth", "1985-05-25")));
        Assert.Equal(("unknown", "not-held"), Match("name", "Maya Okafor"));
    }

    [Fact]
    public void The_rest_is_compared_with_the_identity_whose_name_fits()
    {
        var maya = """{"id":"1","fullName":"Maya Okafor","DOB":"1985-05-25"}""";
        var daniel = """{"id":"2","fullName":"Daniel Okafor","DOB":"1983-02-01"}""";
        var asked = new IdentityMatchRequest("M Okafor", "1983-02-01", null);

        Assert.Equal(FieldMatch.Different, IdentityMatch.Of(asked, [Of(maya), Of(daniel)]).DateOfBirth);
        Assert.Equal(FieldMatch.Same(MatchRule.Exact), IdentityMatch.Of(asked with { Name = "Daniel Okafor" }, [Of(maya), Of(daniel)]).DateOfBirth);
        Assert.Equal(FieldMatch.Same(MatchRule.Exact), IdentityMatch.Of(asked with { Name = null }, [Of(maya), Of(daniel)]).DateOfBirth);
        Assert.Equal(FieldMatch.Same(MatchRule.Exact), IdentityMatch.Of(asked with { Name = "Ada Adeyemi" }, [Of(maya), Of(daniel)]).DateOfBirth);
    }

    [Fact]
    public void A_name_in_parts_counts_and_so_does_an_organisation_s()
    {
        const string Parts = """{"id":"1","fullName":"","firstName":"Maya","middleName":"","lastName":"Okafor","organisation":{"businessName":"Zorbing Mates"}}""";

        Assert.Equal(("match", "exact"), Match("name", "Maya Okafor", Of(Parts)));
        Assert.Equal(("match", "exact"), Match("name", "Zorbing Mates", Of(Parts)));
    }

    [Fact]
    public void What_was_not_asked_about_is_left_out()
    {
        var match = IdentityMatch.Of(new IdentityMatchRequest("Maya Okafor", null, null), [Identity("name", "Maya Okafor")]);

        Assert.Equal("""{"name":{"result":"match","rule":"exact"}}""", JsonSerializer.Serialize(match, AppJson.Of<IdentityMatch>()));
    }

    [Fact]
    public void A_request_is_never_written_out() =>
        Assert.DoesNotContain("Okafor", new IdentityMatchRequest("Maya Okafor", "1985-05-25", "14 Bilby Avenue").ToString(), StringComparison.Ordinal);

    private static (string? Result, string? Rule) Match(string field, string given, params IReadOnlyList<Identity> identities)
    {
        var asked = new IdentityMatchRequest(
            field is "name" ? given : null, field is "dateOfBirth" ? given : null, field is "address" ? given : null);
        Assert.True(new IdentityMatchValidator().Validate(asked).IsValid);
        var answer = JsonSerializer.SerializeToNode(IdentityMatch.Of(asked, identities), AppJson.Of<IdentityMatch>())![field]!;
        return (answer["result"]!.GetValue<string>(), answer["rule"]!.GetValue<string>());
    }

    private static Identity Identity(string field, string held) => Of(new JsonObject
    {
        ["id"] = "1",
        [field switch { "name" => "fullName", "dateOfBirth" => "DOB", _ => "physicalAddresses" }] =
            field is "address" ? new JsonArray(new JsonObject { ["formattedAddress"] = held }) : held,
    }.ToJsonString());

    private static Identity Of(string json) => BasiqFunctions.Basiq.Models.Identity.From(JsonElement.Parse(json));
}
