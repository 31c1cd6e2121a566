using System.Globalization;
using System.Net;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Tests.Basiq;

[Trait("Category", "Unit")]
public sealed class RetryTests
{
    private const string UserJson = "{\"id\":\"u1\"}";

    private static readonly UserDetails Details = new() { Email = "gavin@hooli.com" };

    [Theory]
    [InlineData("7")]
    [InlineData("date")]
    public async Task A_retry_waits_exactly_as_long_as_Basiq_asks(string retryAfter)
    {
        await using var test = new ClientUnderTest();
        if (retryAfter == "date")
            retryAfter = test.Clock.GetUtcNow().AddSeconds(7).ToString("R", CultureInfo.InvariantCulture);
        test.Basiq.Script(
            () => StubBasiq.RetryAfter(StubBasiq.Error(HttpStatusCode.TooManyRequests, "too-many-requests"), retryAfter),
            () => StubBasiq.Json(UserJson));

        var call = test.Client.GetUserAsync(new("u1"));
        await test.Clock.WaitForTimerAsync(TimeSpan.FromSeconds(7));
        test.Clock.Advance(TimeSpan.FromMilliseconds(6_999));
        Assert.Single(test.Basiq.Calls);
        Assert.False(call.IsCompleted);
        test.Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("u1", (await call).Id);
        Assert.Equal(2, test.Basiq.Calls.Count);
    }

    [Fact]
    public async Task A_wait_longer_than_the_limit_is_left_to_the_caller()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(
            () => StubBasiq.RetryAfter(StubBasiq.Error(HttpStatusCode.TooManyRequests, "too-many-requests"), "99999"));

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));

        Assert.Equal(BasiqFailureKind.Overloaded, exception.Failure.Kind);
        Assert.Equal(TimeSpan.FromHours(1), exception.Failure.RetryAfter);
        Assert.Single(test.Basiq.Calls);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(429)]
    public async Task A_failure_of_the_moment_is_tried_again(int status)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => new((HttpStatusCode)status), () => new((HttpStatusCode)status), () => StubBasiq.Json(UserJson));

        Assert.Equal("u1", (await test.RunAsync(test.Client.UpdateUserAsync(new("u1"), Details))).Id);

        Assert.Equal(3, test.Basiq.Calls.Count);
        Assert.All(test.Basiq.Calls, call => Assert.Equal("{\"email\":\"gavin@hooli.com\"}", call.Body));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(501)]
    public async Task A_lasting_failure_is_not_tried_again(int status)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error((HttpStatusCode)status, "some-code"));

        await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Single(test.Basiq.Calls);
    }

    [Theory]
    [InlineData("timeout")]
    [InlineData("500")]
    [InlineData("503")]
    [InlineData("504")]
    [InlineData("reset")]
    [InlineData("cut short")]
    [InlineData("not JSON")]
    [InlineData("no id")]
    public async Task A_user_creation_of_unknown_outcome_is_never_sent_twice(string what)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = async (_, _, cancellationToken) =>
        {
            switch (what)
            {
                case "timeout":
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                    throw new InvalidOperationException("Unreachable.");
                case "reset":
                    throw new HttpRequestException(HttpRequestError.Unknown, "Connection reset by peer");
                case "cut short":
                    throw new HttpRequestException(HttpRequestError.ResponseEnded, "ended");
                case "not JSON":
                    return StubBasiq.Json("{\"id", HttpStatusCode.Created);
                case "no id":
                    return StubBasiq.Json("{}", HttpStatusCode.Created);
                default:
                    return StubBasiq.RetryAfter(new((HttpStatusCode)int.Parse(what, CultureInfo.InvariantCulture)), "1");
            }
        };

        var failure = await test.FailureAsync(test.Client.CreateUserAsync(Details));

        Assert.Equal((BasiqFailureKind.OutcomeUnknown, false), (failure.Kind, failure.IsTransient));
        Assert.Single(test.Basiq.Calls);
    }

    [Theory]
    [InlineData("429")]
    [InlineData("403")]
    [InlineData("403 of a gateway")]
    [InlineData("connection refused")]
    [InlineData("unknown host")]
    public async Task A_user_creation_that_surely_was_not_processed_is_sent_again(string what)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (_, before, _) => (before, what) switch
        {
            (0, "429") => Task.FromResult(new HttpResponseMessage(HttpStatusCode.TooManyRequests)),
            (0, "403") => Task.FromResult(StubBasiq.Error(HttpStatusCode.Forbidden, "too-many-requests")),
            (0, "403 of a gateway") => Task.FromResult(AnswerTests.Page(HttpStatusCode.Forbidden)),
            (0, "connection refused") => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"),
            (0, "unknown host") => throw new HttpRequestException(HttpRequestError.NameResolutionError, "unknown"),
            _ => Task.FromResult(StubBasiq.Json(UserJson, HttpStatusCode.Created)),
        };

        Assert.Equal("u1", (await test.RunAsync(test.Client.CreateUserAsync(Details))).Id);

        Assert.Equal(2, test.Basiq.Calls.Count);
    }

    [Fact]
    public async Task A_user_creation_refused_for_its_token_is_sent_once_more()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => new(HttpStatusCode.Unauthorized), () => StubBasiq.Json(UserJson, HttpStatusCode.Created));

        Assert.Equal("u1", (await test.Client.CreateUserAsync(Details)).Id);

        Assert.Equal(["Bearer server-token-1", "Bearer server-token-2"], test.Basiq.Calls.Select(call => call.Authorization));
    }

    [Fact]
    public async Task A_user_creation_that_is_overloaded_to_the_end_is_known_not_to_have_happened()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => new(HttpStatusCode.TooManyRequests));

        var failure = await test.FailureAsync(test.Client.CreateUserAsync(Details));

        Assert.Equal((BasiqFailureKind.Overloaded, true), (failure.Kind, failure.IsTransient));
    }

    [Fact]
    public async Task A_delete_that_is_gone_at_the_second_try_has_succeeded()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(
            () => new(HttpStatusCode.BadGateway), () => StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));

        var call = test.Client.DeleteUserAsync(new("u1"));
        await test.Clock.RunUntilAsync(call);
        await call;

        Assert.Equal(2, test.Basiq.Calls.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(429)]
    public async Task A_delete_of_what_never_was_is_not_found(int firstStatus)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (_, before, _) => Task.FromResult(
            before == 0 && firstStatus != 0
                ? new((HttpStatusCode)firstStatus)
                : StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));

        var failure = await test.FailureAsync(test.Client.DeleteConnectionAsync(new("u1"), new("c1")));

        Assert.Equal(BasiqFailureKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task A_body_that_stalls_is_given_up_and_asked_for_again()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(
            () => new(HttpStatusCode.OK) { Content = new StreamContent(new StalledStream()) }, () => StubBasiq.Json(UserJson));

        Assert.Equal("u1", (await test.RunAsync(test.Client.GetUserAsync(new("u1")))).Id);
    }

    private sealed class StalledStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
