using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
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
    [InlineData(BasiqFailureKind.NotFound, 404, 404, "user-not-found", false)]
    [InlineData(BasiqFailureKind.Gone, 410, 404, "user-not-found", false)]
    [InlineData(BasiqFailureKind.Invalid, 400, 400, "invalid-input", false)]
    [InlineData(BasiqFailureKind.Unauthorized, 401, 502, "basiq-refused", false)]
    [InlineData(BasiqFailureKind.Forbidden, 403, 502, "basiq-refused", false)]
    [InlineData(BasiqFailureKind.Overloaded, 429, 429, "basiq-overloaded", true)]
    [InlineData(BasiqFailureKind.Overloaded, 403, 503, "basiq-overloaded", true)]
    [InlineData(BasiqFailureKind.Unavailable, null, 503, "basiq-unavailable", true)]
    [InlineData(BasiqFailureKind.Timeout, null, 504, "basiq-timeout", false)]
    [InlineData(BasiqFailureKind.OutcomeUnknown, null, 504, "outcome-unknown", false)]
    [InlineData(BasiqFailureKind.OutcomeUnknown, 500, 502, "outcome-unknown", false)]
    [InlineData(BasiqFailureKind.UnusableAnswer, 200, 502, "basiq-unusable-answer", false)]
    [InlineData(BasiqFailureKind.Other, 418, 502, "basiq-unusable-answer", false)]
    public async Task A_failed_call_to_Basiq_becomes_the_answer_of_its_kind(BasiqFailureKind kind, int? upstream, int status, string code, bool waits)
    {
        var failure = new BasiqFailure(kind, "some-code")
        {
            StatusCode = upstream,
            CorrelationId = "cid",
            Detail = "words of Basiq",
            Endpoint = "GET /users/{userId}",
        };

        var answer = await Answer.OfAsync(HttpAnswers.ProblemFor(failure));

        Assert.Equal((status, code, "cid"), (answer.Status, answer.Code, answer.Json.GetProperty("correlationId").GetString()));
        Assert.Equal(waits, answer.Headers.RetryAfter.Count == 1);
        Assert.DoesNotContain("words of Basiq", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /users/{userId}/consents", 404, "user-not-found")]
    [InlineData("DELETE /users/{userId}/consents/{consentId}", 404, "consent-not-found")]
    [InlineData("GET /users/{userId}/accounts/{accountId}", 404, "account-not-found")]
    [InlineData("GET /users/{userId}/connections/{connectionId}", 404, "connection-not-found")]
    [InlineData("GET /jobs/{jobId}", 404, "job-not-found")]
    [InlineData("POST /notifications/webhooks/{webhookId}", 404, "subscription-not-found")]
    [InlineData("GET /events/{id}", 502, "basiq-unusable-answer")]
    [InlineData("POST /token", 502, "basiq-unusable-answer")]
    [InlineData(null, 502, "basiq-unusable-answer")]
    public async Task What_is_not_found_is_what_was_asked_for_and_never_a_user_nobody_asked_for(string? endpoint, int status, string code)
    {
        var answer = await Answer.OfAsync(HttpAnswers.ProblemFor(new BasiqFailure(BasiqFailureKind.NotFound, "some-code") { Endpoint = endpoint }));

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task What_Basiq_refuses_names_the_field_and_how_long_to_wait_is_passed_on()
    {
        var failure = new BasiqFailure(BasiqFailureKind.Invalid, "parameter-not-valid")
        {
            Sources =
            [
                new BasiqErrorSource("parameter-not-valid", "mobile", null, "Mobile is wrong."),
                new BasiqErrorSource("parameter-not-valid", null, "/data/email", null),
                new BasiqErrorSource("parameter-not-valid", null, null, null),
            ],
        };
        Assert.Equal(["mobile", "email", "body"], (await Answer.OfAsync(HttpAnswers.ProblemFor(failure))).Fields);

        var overloaded = new BasiqFailure(BasiqFailureKind.Overloaded, "x") { StatusCode = 429, RetryAfter = TimeSpan.FromSeconds(7.01) };
        Assert.Equal("8", (await Answer.OfAsync(HttpAnswers.ProblemFor(overloaded))).Headers.RetryAfter);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("Az09_-")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void An_id_of_the_allowed_characters_is_taken(string id) => Assert.Null(RouteId.Refuse(("userId", id)));

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
        var answer = await Answer.OfAsync(RouteId.Refuse(("userId", "fine"), ("accountId", id))!);
        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Code));
        Assert.Equal(["accountId"], answer.Fields);
    }
}
