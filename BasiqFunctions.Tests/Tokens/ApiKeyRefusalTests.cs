using System.Net;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tokens;

namespace BasiqFunctions.Tests.Tokens;

/// <summary>A key that Basiq refuses costs few requests and few lines, and another key is taken up at once.</summary>
public sealed partial class ApiKeyRefusalTests : IAsyncDisposable
{
    private readonly ClientUnderTest _test = new();
    private string? _acceptedKey;

    public ApiKeyRefusalTests()
    {
        _test.Vault.Put(SecretNames.ApiKey, "key-1");
        RefuseWith(HttpStatusCode.Unauthorized);
    }

    public ValueTask DisposeAsync() => _test.DisposeAsync();

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, BasiqFailureKind.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden, BasiqFailureKind.Forbidden)]
    public async Task After_a_refusal_calls_are_refused_at_once_and_nothing_is_sent(HttpStatusCode status, BasiqFailureKind kind)
    {
        RefuseWith(status);

        var first = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
        Assert.Equal((kind, false), (first.Kind, first.IsRefusedHere));
        var reads = _test.Vault.Reads;
        for (var i = 0; i < 100; i++)
        {
            var failure = await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
            Assert.Equal(
                (BasiqFailureKind.Unauthorized, "api-key-refused", true, false, "POST /token"),
                (failure.Kind, failure.Code, failure.IsRefusedHere, failure.IsTransient, failure.Endpoint));
        }

        Assert.Single(_test.Basiq.Calls);
        Assert.Equal(reads, _test.Vault.Reads);
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
                var before = _test.Basiq.Calls.Count;
                await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
                if (_test.Basiq.Calls.Count > before)
                    sentAt.Add(second);
            }

            _test.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([0, 5, 15, 35, 75, 135, 195, 255, 315, 375, 435, 495, 555], sentAt);
        Assert.Equal(10, Refusals().Count);
        Assert.Contains("Calls refused since the last such line: 1.", Refusals()[0], StringComparison.Ordinal);
        Assert.Contains("Calls refused since the last such line: 180.", Refusals()[1], StringComparison.Ordinal);
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
        var crowd = Enumerable.Range(0, 50).Select(i => Task.Run(() => _test.Client.CreateClientTokenAsync($"u{i}"))).ToList();
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_test.Basiq.Calls.Count), count => count == crowd.Count);
        answer.SetResult();
        foreach (var call in crowd)
            await ClientUnderTest.FailureAtOnceAsync(call);

        _test.Clock.Advance(ApiKeyRefusals.ShortestWait);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            ClientUnderTest.FailureAtOnceAsync(Task.Run(() => _test.Client.CreateClientTokenAsync($"u{i}")))));

        // One of the second crowd went to see.
        Assert.Equal(51, _test.Basiq.Calls.Count);
        Assert.Single(Refusals());
    }

    [Fact]
    public async Task Another_key_in_Key_Vault_ends_the_back_off_at_once()
    {
        for (var i = 0; i < 10; i++)
        {
            await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
            _test.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
        _test.Vault.Put(SecretNames.ApiKey, "key-2");
        _acceptedKey = "key-2";

        _test.Clock.Advance(ApiKeyProvider.PauseBetweenLookups);
        Assert.Equal("client-token", (await _test.Client.CreateClientTokenAsync("u1")).AccessToken);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
        Assert.Equal("Basic key-2", _test.Basiq.Calls[^1].Authorization);
        await _test.Client.CreateClientTokenAsync("u1");
        Assert.Contains("[1112] Basiq takes the API key again.", _test.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_exchanged_in_time_is_told_as_a_rotation_and_not_as_a_refusal()
    {
        _acceptedKey = "key-1";
        await _test.Client.CreateClientTokenAsync("u1");
        _test.Vault.Put(SecretNames.ApiKey, "key-2");
        _acceptedKey = "key-2";

        await _test.Client.CreateClientTokenAsync("u1");

        Assert.Contains("[1105]", _test.Logs.Text, StringComparison.Ordinal);
        Assert.Empty(Refusals());
    }

    [Fact]
    public async Task The_same_key_is_tried_again_after_the_wait_and_serves_all_when_it_is_taken()
    {
        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));
        _acceptedKey = "key-1";
        _test.Clock.Advance(ApiKeyRefusals.ShortestWait - TimeSpan.FromTicks(1));
        await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));

        _test.Clock.Advance(TimeSpan.FromTicks(1));
        for (var i = 0; i < 5; i++)
            await _test.Client.CreateClientTokenAsync("u1");
        Assert.Equal(6, _test.Basiq.Calls.Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, null)]
    [InlineData(HttpStatusCode.BadRequest, null)]
    [InlineData(HttpStatusCode.TooManyRequests, "30")]
    [InlineData(HttpStatusCode.Forbidden, "30")]
    public async Task An_answer_that_refuses_the_request_or_its_pace_does_not_speak_against_the_key(HttpStatusCode status, string? retryAfter)
    {
        _test.Basiq.Answer = (_, _, _) => Task.FromResult(
            retryAfter is null ? StubBasiq.Error(status, "some-code") : StubBasiq.RetryAfter(StubBasiq.Error(status, "some-code"), retryAfter));

        for (var i = 0; i < 3; i++)
            await ClientUnderTest.FailureAtOnceAsync(_test.Client.CreateClientTokenAsync("u1"));

        Assert.Equal(3, _test.Basiq.Calls.Count);
        Assert.False(_test.Tokens.GetHealth().IsApiKeyRefused);
    }

    private List<string> Refusals() => [.. RefusalLine().Matches(_test.Logs.Text).Select(line => line.Value)];

    private void RefuseWith(HttpStatusCode status)
    {
        _test.Basiq.Answer = (request, _, _) => Task.FromResult(request.Authorization == $"Basic {_acceptedKey}"
            ? StubBasiq.Json(StubBasiq.TokenJson("client-token"))
            : StubBasiq.Error(status, "access-denied"));
        var mint = _test.Basiq.Mint;
        _test.Basiq.Mint = (request, before, token) => request.Authorization == $"Basic {_acceptedKey}"
            ? mint(request, before, token)
            : Task.FromResult(StubBasiq.Error(status, "access-denied"));
    }

    [GeneratedRegex(@"Error BasiqFunctions\.Tokens\.ApiKeyRefusals \[1111\].*")]
    private static partial Regex RefusalLine();
}
