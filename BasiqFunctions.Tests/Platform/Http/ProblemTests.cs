using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Tests.Platform.Http;

[Trait("Category", "Unit")]
public sealed class ProblemTests
{
    [Fact]
    public async Task A_problem_has_the_standards_members_and_ours()
    {
        var errors = new FieldErrors();
        errors.Add("email", "one.");
        errors.Add("mobile", "two.");
        errors.Add("email", "three.");

        var answer = await Answer.OfAsync(Problem.InvalidInput(errors) with { CorrelationId = "cid", RetryAfter = TimeSpan.FromSeconds(1.2) });

        Assert.Equal((400, "application/problem+json"), (answer.Status, answer.ContentType));
        Assert.Equal(
            """{"title":"Bad Request","status":400,"code":"invalid-input","detail":"Not acceptable: email, mobile.","errors":{"email":["one.","three."],"mobile":["two."]},"correlationId":"cid"}""",
            answer.Body);
        Assert.Equal("2", answer.Headers.RetryAfter);
        Assert.Equal("no-store", answer.Headers.CacheControl);
        Assert.Equal("nosniff", answer.Headers.XContentTypeOptions);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("Az09_-")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void An_id_of_the_allowed_characters_is_taken(string id) => Assert.Null(RouteId.Refuse(new() { ["userId"] = id, ["version"] = "a/b" }));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a\n")]
    [InlineData("😀")]
    [InlineData("é")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task Any_other_id_is_refused_and_its_field_named(string? id)
    {
        var answer = await Answer.OfAsync(RouteId.Refuse(new() { ["userId"] = "fine", ["accountId"] = id })!);
        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Code));
        Assert.Equal(["accountId"], answer.Fields);
    }
}
