using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Tests.Basiq;

[Trait("Category", "Unit")]
public sealed class BasiqProblemTests
{
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

        var answer = await Answer.OfAsync(failure.ToProblem());

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
        var answer = await Answer.OfAsync(new BasiqFailure(BasiqFailureKind.NotFound, "some-code") { Endpoint = endpoint }.ToProblem());

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
        Assert.Equal(["mobile", "email", "body"], (await Answer.OfAsync(failure.ToProblem())).Fields);

        var overloaded = new BasiqFailure(BasiqFailureKind.Overloaded, "x") { StatusCode = 429, RetryAfter = TimeSpan.FromSeconds(7.01) };
        Assert.Equal("8", (await Answer.OfAsync(overloaded.ToProblem())).Headers.RetryAfter);
    }
}
