using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Edges;

/// <summary>What is no id gets no further than the door, whichever function it knocks at.</summary>
[Trait("Category", "Journeys")]
public sealed partial class RouteIdTests
{
    [Theory]
    [InlineData("a%20b")]
    [InlineData("a&scope=SERVER_ACCESS")]
    [InlineData("%C3%A9")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("a%0A")]
    [InlineData("a.b")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task Each_id_of_each_function_that_is_none_is_refused_by_its_name(string id)
    {
        await using var app = await AppUnderTest.StartAsync();
        HttpFunction[] functions =
            [.. FunctionCatalog.Scan(typeof(BasiqFunctionsRegistration).Assembly).Http.Where(function => function.Route.Contains('{', StringComparison.Ordinal))];
        Assert.True(functions.Length > 15, "The functions with ids in their routes were not found.");
        foreach (var function in functions)
        {
            var names = Ids().Matches(function.Route).Select(match => match.Groups[1].Value).ToArray();
            using var request = new HttpRequestMessage(new HttpMethod(function.Methods[0]), Ids().Replace(function.Route, id));
            using var answer = await app.Api.SendAsync(request);
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, $"{function.Name} answers {answer.StatusCode}.");
            var problem = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            Assert.Equal("invalid-input", problem.GetProperty("code").GetString());
            Assert.Equal(names.Order(StringComparer.Ordinal), problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
        }
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Ids();
}
