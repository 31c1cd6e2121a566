using System.Net;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Platform.Telemetry;

/// <summary>What calls to Basiq and the server token leave in the metrics.</summary>
[Trait("Category", "Unit")]
public sealed class CallTelemetryTests : IAsyncDisposable
{
    private const string Calls = "basiq.call.duration";
    private const string Refreshes = "basiq.server_token.refreshes";
    private const string Age = "basiq.server_token.age";

    private readonly TelemetryCapture _telemetry = new();
    private readonly ClientUnderTest _test = new();

    public async ValueTask DisposeAsync()
    {
        await _test.DisposeAsync();
        _telemetry.Dispose();
    }

    [Fact]
    public async Task A_call_is_measured_once_by_its_route_and_outcome_whatever_ids_it_has()
    {
        _test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.PathAndQuery.EndsWith("/nobody", StringComparison.Ordinal)
                ? StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found")
                : StubBasiq.Json("{\"id\":\"user-71\"}"));

        await _test.Client.GetUserAsync(new("user-71"));
        await _test.Client.GetUserAsync(new("user-72"));
        await _test.FailureAsync(_test.Client.GetUserAsync(new("nobody")));
        await _test.Client.DeleteUserAsync(new("user-71"));

        Assert.Equal(
            new Dictionary<string, int>
            {
                ["POST /token success"] = 1,
                ["GET /users/{userId} success"] = 2,
                ["GET /users/{userId} not-found"] = 1,
                ["DELETE /users/{userId} success"] = 1,
            },
            Counts());
        Assert.DoesNotContain("user-7", _telemetry.Metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retries_and_the_waits_between_them_are_part_of_the_call_s_duration()
    {
        await _test.Tokens.GetAsync();
        _test.Basiq.Script(
            () => StubBasiq.RetryAfter(StubBasiq.Error(HttpStatusCode.TooManyRequests, "too-many-requests"), "3"),
            () => StubBasiq.Json("{\"id\":\"u1\"}"));

        await _test.RunAsync(_test.Client.GetUserAsync(new("u1")));

        var call = Assert.Single(_telemetry.Of(_test.Services, Calls), c => c.Tags.Any(t => t.Value is "GET /users/{userId}"));
        Assert.Equal("s", call.Instrument.Unit);
        Assert.InRange(call.Value, 3, 3.5);
    }

    [Fact]
    public async Task An_answer_of_another_shape_is_no_success()
    {
        _test.Basiq.Script(
            () => StubBasiq.Json("{\"type\":\"list\",\"data\":null}"),
            () => StubBasiq.Json("{\"id\":\"another\",\"steps\":[]}"));

        await _test.FailureAsync(_test.Client.ListAccountsAsync(new("u1")));
        await _test.FailureAsync(_test.Client.GetJobAsync(new("j")));

        Assert.Equal(1, Counts()["GET /users/{userId}/accounts unusable-answer"]);
        Assert.Equal(1, Counts()["GET /jobs/{jobId} unusable-answer"]);
        Assert.DoesNotContain(Counts().Keys, k => k.EndsWith("accounts success", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_its_caller_gives_up_is_aborted()
    {
        using var caller = new CancellationTokenSource();
        _test.Basiq.Answer = async (_, _, cancellation) =>
        {
            await caller.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _test.Client.GetUserAsync(new("u1"), caller.Token));

        Assert.Equal(1, Counts()["GET /users/{userId} aborted"]);
    }

    [Fact]
    public async Task The_token_s_age_is_that_of_the_one_in_memory()
    {
        var tokens = _test.Tokens;
        _telemetry.Observe();
        Assert.Empty(_telemetry.Of(_test.Services, Age));

        await tokens.GetAsync();
        _test.Clock.Advance(TimeSpan.FromMinutes(10));
        _telemetry.Observe();

        var age = Assert.Single(_telemetry.Of(_test.Services, Age));
        Assert.Equal((600, "s", 0), (age.Value, age.Instrument.Unit, age.Tags.Count));
    }

    [Fact]
    public async Task Token_refreshes_are_counted_by_what_came_of_them()
    {
        await _test.Tokens.RefreshAsync();
        await _test.Tokens.RefreshAsync();
        _test.Vault.Outage = () => StubKeyVault.Failure(HttpStatusCode.Forbidden, "Forbidden");
        await _test.Tokens.RefreshAsync();
        _test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Error(HttpStatusCode.InternalServerError, "internal-server-error"));
        await _test.FailureAsync(_test.Tokens.RefreshAsync());

        Assert.Equal(
            new Dictionary<string, double> { ["success"] = 2, ["not-stored"] = 1, ["unavailable"] = 1 },
            _telemetry.SumsOf(_test.Services, Refreshes));
    }

    private Dictionary<string, int> Counts() => _telemetry.Of(_test.Services, Calls)
        .GroupBy(c => string.Join(' ', c.Tags.Select(t => t.Value)))
        .ToDictionary(g => g.Key, g => g.Count());
}
