using System.Net;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Basiq.Auth;

/// <summary>A key that Basiq refuses costs few requests and few lines, and another key is taken up at once.</summary>
[Trait("Category", "Journeys")]
public sealed partial class ApiKeyRefusalTests : IAsyncDisposable
{
    private readonly ClientUnderTest _test = new();
    private readonly Func<StubBasiq.Received, int, CancellationToken, Task<HttpResponseMessage>> _minting;
    private string? _acceptedKey;

    public ApiKeyRefusalTests()
    {
        _minting = _test.Basiq.Mint;
        _test.Vault.Put(SecretNames.ApiKey, "key-1");
        RefuseWith(HttpStatusCode.Unauthorized);
    }

    public ValueTask DisposeAsync() => _test.DisposeAsync();

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, 1)]
    [InlineData(HttpStatusCode.Forbidden, 2)]
    [InlineData(HttpStatusCode.NotFound, 2)]
    [InlineData(HttpStatusCode.BadRequest, 2)]
    public async Task After_a_refusal_calls_are_refused_at_once_and_nothing_is_sent(HttpStatusCode status, int sent)
    {
        RefuseWith(status);

        var first = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
        Assert.Equal((BasiqFailureKind.Unauthorized, false, "POST /token"), (first.Kind, first.IsRefusedHere, first.Endpoint));
        Assert.Equal((int)status, first.StatusCode);
        var reads = _test.Vault.Reads;
        for (var i = 0; i < 100; i++)
        {
            var failure = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
            Assert.Equal(
                (BasiqFailureKind.Unauthorized, "api-key-refused", true, false, "POST /token"),
                (failure.Kind, failure.Code, failure.IsRefusedHere, failure.IsTransient, failure.Endpoint));
        }

        // Whoever names no user is answered for the key alone: where the answer could be about the user, such a one went to see.
        Assert.Equal(sent, Sent);
        Assert.Equal(reads, _test.Vault.Reads);
        Assert.True(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Single(Refusals());
    }

    [Fact]
    public async Task A_server_token_is_not_asked_for_either_and_the_one_in_memory_serves_on()
    {
        _acceptedKey = "key-1";
        var token = await _test.Tokens.GetAsync();
        _acceptedKey = null;
        await Assert.ThrowsAsync<BasiqException>(() => _test.Tokens.RefreshAsync());
        Assert.Equal(2, _test.Basiq.Mints.Count);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(
                BasiqFailure.ApiKeyRefusedCode,
                (await Assert.ThrowsAsync<BasiqException>(() => _test.Tokens.RefreshAsync())).Failure.Code);
        }

        Assert.Equal(2, _test.Basiq.Mints.Count);
        Assert.Equal(token, await _test.Tokens.GetAsync());
        Assert.True(_test.Tokens.GetHealth().IsApiKeyRefused);
    }

    [Fact]
    public async Task The_back_off_doubles_from_five_seconds_to_a_minute_and_a_line_is_written_once_a_minute()
    {
        List<int> sentAt = [];
        for (var second = 0; second < 600; second++)
        {
            for (var call = 0; call < 3; call++)
            {
                var before = Sent;
                await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
                if (Sent > before)
                    sentAt.Add(second);
            }

            _test.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([0, 5, 15, 35, 75, 135, 195, 255, 315, 375, 435, 495, 555], sentAt);
        Assert.Equal(10, Refusals().Count);
        Assert.Contains("Calls held back since the last message: 1.", Refusals()[0], StringComparison.Ordinal);
        Assert.Contains("Calls held back since the last message: 180.", Refusals()[1], StringComparison.Ordinal);
        Assert.DoesNotContain("key-1", _test.Logs.Text, StringComparison.Ordinal);

        // Key Vault is asked for another key no more than once a second either.
        Assert.InRange(_test.Vault.Reads, 1, 602);
    }

    [Fact]
    public async Task A_crowd_that_is_refused_at_once_makes_the_wait_no_longer()
    {
        var answer = new TaskCompletionSource();
        _test.Basiq.Answer = async (_, _, _) =>
        {
            await answer.Task;
            return StubBasiq.Error(HttpStatusCode.Unauthorized, "unauthorized-access");
        };
        var crowd = Enumerable.Range(0, 50).Select(i => Task.Run(() => _test.Client.CreateClientTokenAsync(new($"u{i}")))).ToList();
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_test.Basiq.Calls.Count), count => count == crowd.Count);
        answer.SetResult();
        foreach (var call in crowd)
            await ClientUnderTest.FailureAtOnceAsync(call);

        _test.Clock.Advance(ApiKeyRefusals.ShortestWait);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            ClientUnderTest.FailureAtOnceAsync(Task.Run(() => _test.Client.CreateClientTokenAsync(new($"u{i}"))))));

        // One of the second crowd went to see.
        Assert.Equal(51, Sent);
        Assert.Single(Refusals());
    }

    [Fact]
    public async Task Another_key_in_Key_Vault_ends_the_back_off_at_once()
    {
        for (var i = 0; i < 10; i++)
        {
            await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
            _test.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
        _test.Vault.Put(SecretNames.ApiKey, "key-2");
        _acceptedKey = "key-2";

        _test.Clock.Advance(ApiKeyProvider.PauseBetweenLookups);
        Assert.Equal("client-token", (await _test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Equal("Basic key-2", _test.Basiq.Calls[^1].Authorization);
        await _test.Client.CreateClientTokenAsync(new("u1"));
        Assert.Contains("[1112] Basiq accepts the API key again.", _test.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_exchanged_in_time_is_told_as_a_rotation_and_not_as_a_refusal()
    {
        _acceptedKey = "key-1";
        await _test.Client.CreateClientTokenAsync(new("u1"));
        _test.Vault.Put(SecretNames.ApiKey, "key-2");
        _acceptedKey = "key-2";

        await _test.Client.CreateClientTokenAsync(new("u1"));

        Assert.Contains("[1105]", _test.Logs.Text, StringComparison.Ordinal);
        Assert.Empty(Refusals());
    }

    [Fact]
    public async Task The_same_key_is_tried_again_after_the_wait_and_serves_all_when_it_is_taken()
    {
        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));
        _acceptedKey = "key-1";
        _test.Clock.Advance(ApiKeyRefusals.ShortestWait - TimeSpan.FromTicks(1));
        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("u1")));

        _test.Clock.Advance(TimeSpan.FromTicks(1));
        for (var i = 0; i < 5; i++)
            await _test.Client.CreateClientTokenAsync(new("u1"));
        Assert.Equal(7, Sent);
        Assert.Single(_test.Basiq.Mints);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Gone)]
    public async Task A_failed_token_request_is_never_a_missing_user_and_never_the_callers_mistake(HttpStatusCode status)
    {
        RefuseWith(status);

        foreach (var call in new Func<Task>[]
        {
            () => _test.Client.GetUserAsync(new("u1")), () => _test.Client.DeleteUserAsync(new("u1")), () => _test.Client.GetJobAsync(new("j1")),
            () => _test.Client.ListConsentsAsync(new("u1")), () => _test.Client.GetEventAsync("e1"),
            () => _test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" }), () => _test.Client.AnswerMfaAsync(new("u1"), new("j1"), ["1"]),
            () => _test.Client.CreateClientTokenAsync(new("u1")),
        })
        {
            var failure = await ClientUnderTest.FailureAtOnceAsync(call());
            Assert.Equal((BasiqFailureKind.Unauthorized, "POST /token"), (failure.Kind, failure.Endpoint));
        }

        Assert.Equal(1, Sent);
        Assert.Single(Refusals());

        _test.Vault.Put(SecretNames.ApiKey, "key-2");
        _acceptedKey = "key-2";
        _test.Clock.Advance(ApiKeyProvider.PauseBetweenLookups);
        Assert.Equal("u1", (await _test.Client.GetUserAsync(new("u1"))).Id);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task Users_that_Basiq_does_not_know_are_told_so_and_do_not_speak_against_the_key(HttpStatusCode status)
    {
        KnowOnly("u1", status);

        for (var i = 0; i < 50; i++)
        {
            var failure = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new($"made-up-{i}")));
            Assert.Equal((BasiqFailureKind.NotFound, "GET /users/{userId}"), (failure.Kind, failure.Endpoint));
        }

        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Equal("client-token", (await _test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
        Assert.Single(_test.Basiq.Mints);
        Assert.Empty(Refusals());
    }

    [Fact]
    public async Task Users_that_Basiq_does_not_know_do_not_keep_a_key_refused_that_is_taken_again()
    {
        KnowOnly("u1", HttpStatusCode.NotFound);
        var mint = _test.Basiq.Mint;
        _test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));
        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("made-up")));
        Assert.True(_test.Tokens.GetHealth().IsApiKeyRefused);

        _test.Basiq.Mint = mint;
        _test.Clock.Advance(ApiKeyRefusals.ShortestWait);
        var failure = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("made-up")));

        Assert.Equal(BasiqFailureKind.NotFound, failure.Kind);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Equal("client-token", (await _test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
    }

    [Fact]
    public async Task A_token_that_one_known_user_alone_is_refused_does_not_speak_against_the_key()
    {
        KnowOnly("u1", HttpStatusCode.NotFound);
        var answer = _test.Basiq.Answer;
        _test.Basiq.Answer = (request, before, token) => request.PathAndQuery == "/users/odd"
            ? Task.FromResult(StubBasiq.Json("{\"id\":\"odd\"}"))
            : answer(request, before, token);

        var failure = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync(new("odd")));

        Assert.Equal((BasiqFailureKind.Unauthorized, "POST /token", 404), (failure.Kind, failure.Endpoint, failure.StatusCode));
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Equal("client-token", (await _test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, BasiqFailureKind.UnusableAnswer)]
    [InlineData(HttpStatusCode.ServiceUnavailable, BasiqFailureKind.Unavailable)]
    public async Task A_user_of_whom_nobody_could_tell_is_not_called_unknown(HttpStatusCode status, BasiqFailureKind kind)
    {
        KnowOnly("u1", HttpStatusCode.NotFound);
        var answer = _test.Basiq.Answer;
        _test.Basiq.Answer = (request, before, token) => request.PathAndQuery == "/users/u2"
            ? Task.FromResult(AnswerTests.Page(status))
            : answer(request, before, token);

        var failure = await _test.FailureAsync(_test.Client.CreateClientTokenAsync(new("u2")));

        Assert.Equal((kind, "GET /users/{userId}"), (failure.Kind, failure.Endpoint));
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, "too-many-requests", "Too many requests", null)]
    [InlineData(HttpStatusCode.Forbidden, "too-many-requests", "Too many requests", null)]
    [InlineData(HttpStatusCode.Forbidden, "forbidden-access", "Invalid request", null)]
    [InlineData(HttpStatusCode.Forbidden, "forbidden-access", "Forbidden", "7")]
    public async Task Too_many_token_requests_are_waited_for_and_do_not_speak_against_the_key(
        HttpStatusCode status, string code, string title, string? retryAfter)
    {
        var isOver = false;
        _test.Basiq.Mint = (_, before, _) => Task.FromResult(isOver || before == 1
            ? StubBasiq.Json(StubBasiq.TokenJson($"server-token-{before}"))
            : Overload());
        _test.Basiq.Answer = (request, _, _) => Task.FromResult(request.PathAndQuery != "/token" ? StubBasiq.Json("{\"id\":\"u1\"}") : Overload());

        Assert.Equal("u1", (await _test.RunAsync(_test.Client.GetUserAsync(new("u1")))).Id);
        Assert.Equal(2, _test.Basiq.Mints.Count);
        var failure = await _test.FailureAsync(_test.Client.CreateClientTokenAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Overloaded, true, "POST /token"), (failure.Kind, failure.IsTransient, failure.Endpoint));
        Assert.Equal(retryAfter is null ? null : TimeSpan.FromSeconds(7), failure.RetryAfter);
        Assert.Equal(5, _test.Basiq.Calls.Count(call => call.PathAndQuery == "/token"));
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);

        HttpResponseMessage Overload()
        {
            var overload = StubBasiq.Json(
                $$"""{"type":"list","correlationId":"c","data":[{"type":"error","code":"{{code}}","title":"{{title}}","detail":"Forbidden"}]}""", status);
            return retryAfter is null ? overload : StubBasiq.RetryAfter(overload, retryAfter);
        }
    }

    [Theory]
    [InlineData(404, BasiqFailureKind.UnusableAnswer, 1)]
    [InlineData(400, BasiqFailureKind.UnusableAnswer, 1)]
    [InlineData(403, BasiqFailureKind.Forbidden, 5)]
    public async Task A_page_of_a_gateway_at_the_token_does_not_speak_against_the_key(int status, BasiqFailureKind kind, int sent)
    {
        _test.Basiq.Mint = (_, _, _) => Task.FromResult(AnswerTests.Page((HttpStatusCode)status));

        var failure = await _test.FailureAsync(_test.Client.GetUserAsync(new("u1")));

        Assert.Equal((kind, "POST /token", $"http-{status}", true), (failure.Kind, failure.Endpoint, failure.Code, failure.IsTransient));
        Assert.Equal(sent, Sent);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
    }

    /// <summary>Requests for tokens that reached Basiq.</summary>
    private int Sent => _test.Basiq.Mints.Count + _test.Basiq.Calls.Count(call => call.PathAndQuery == "/token");

    private List<string> Refusals() => [.. RefusalLine().Matches(_test.Logs.Text).Select(line => line.Value)];

    private void RefuseWith(HttpStatusCode status)
    {
        _test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.PathAndQuery != "/token" ? StubBasiq.Json("{\"id\":\"u1\"}")
            : request.Authorization == $"Basic {_acceptedKey}" ? StubBasiq.Json(StubBasiq.TokenJson("client-token"))
            : StubBasiq.Error(status, "access-denied"));
        var mint = _minting;
        _test.Basiq.Mint = (request, before, token) => request.Authorization == $"Basic {_acceptedKey}"
            ? mint(request, before, token)
            : Task.FromResult(StubBasiq.Error(status, "access-denied"));
    }

    /// <summary>Basiq takes the key, and knows one user.</summary>
    private void KnowOnly(string userId, HttpStatusCode refusal)
    {
        _test.Basiq.Mint = _minting;
        _test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.Body == $"scope=CLIENT_ACCESS&userId={userId}" ? StubBasiq.Json(StubBasiq.TokenJson("client-token"))
            : request.PathAndQuery == "/token" ? StubBasiq.Error(refusal, "some-code")
            : request.PathAndQuery == $"/users/{userId}" ? StubBasiq.Json($$"""{"id":"{{userId}}"}""")
            : StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));
    }

    [GeneratedRegex(@"Error BasiqFunctions\.Basiq\.Auth\.ApiKeyRefusals \[1111\].*")]
    private static partial Regex RefusalLine();
}
