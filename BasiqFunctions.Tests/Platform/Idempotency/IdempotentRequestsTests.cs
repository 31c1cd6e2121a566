using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Tests.Platform.Idempotency;

[Trait("Category", "Journeys")]
public sealed class IdempotentRequestsTests : IDisposable
{
    private readonly IdempotencyScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Without_a_key_every_request_is_run()
    {
        Assert.NotEqual((await _scene.CreateAsync(key: null)).Body, (await _scene.CreateAsync(key: null)).Body);
        Assert.Equal(0, _scene.Vault.Requests);
    }

    [Fact]
    public async Task The_same_request_is_run_once_in_24_hours_by_whichever_instance_and_answered_the_same()
    {
        var first = await _scene.CreateAsync();
        Assert.Equal((201, "/api/users/user-1"), (first.Status, first.Headers.Location.ToString()));

        _scene.Clock.Advance(IdempotencyScene.Retention - TimeSpan.FromSeconds(1));
        AssertSame(first, await _scene.CreateAsync());
        AssertSame(first, await _scene.CreateAsync(at: _scene.NewInstance()));
        Assert.Equal("no-store", first.Headers.CacheControl);

        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        var afterwards = await _scene.CreateAsync();
        Assert.Equal("/api/users/user-2", afterwards.Headers.Location);
        AssertSame(afterwards, await _scene.CreateAsync());
        Assert.Equal(2, _scene.Sent);
    }

    [Fact]
    public async Task Another_key_is_another_request_and_the_same_key_with_other_content_is_refused()
    {
        await _scene.CreateAsync("key-1");
        Assert.Equal("/api/users/user-2", (await _scene.CreateAsync("key-2")).Headers.Location);

        (await _scene.CreateAsync("key-1", "nelson@hooli.com")).IsProblem(422, "idempotency-key-reused");
        (await _scene.StartAsync("key-1")).IsProblem(422, "idempotency-key-reused");
        Assert.Equal(2, _scene.Sent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("schlüssel")]
    [InlineData("\"open")]
    public async Task A_malformed_key_is_refused_by_name_and_nothing_is_run(string key)
    {
        (await _scene.CreateAsync(key)).Names("Idempotency-Key");
        (await _scene.CreateAsync(new string('k', 256))).Names("Idempotency-Key");
        Assert.Equal(0, _scene.Sent);
    }

    [Fact]
    public async Task A_hundred_at_once_are_one_and_all_get_its_answer()
    {
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _scene.AtBasiq = () => made.Task;
        var requests = Enumerable.Range(0, 100).Select(_ => Task.Run(() => _scene.CreateAsync())).ToArray();
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_scene.Sent), sent => sent > 0);
        made.SetResult();

        var answers = await Task.WhenAll(requests);

        Assert.All(answers, answer => AssertSame(answers[0], answer));
        Assert.Equal((201, 1), (answers[0].Status, _scene.Sent));
    }

    [Fact]
    public async Task Other_content_need_not_wait_for_the_first_to_be_refused()
    {
        var (made, first) = await BeginAsync();

        (await _scene.CreateAsync(body: "nelson@hooli.com")).IsProblem(422, "idempotency-key-reused");

        made.SetResult();
        Assert.Equal(201, (await first).Status);
    }

    [Fact]
    public async Task While_another_instance_runs_the_first_request_the_second_is_told_when_to_ask_again()
    {
        var (made, first) = await BeginAsync();
        var other = _scene.NewInstance();

        var second = await _scene.CreateAsync(at: other);

        second.IsProblem(409, "idempotency-key-in-use");
        Assert.Equal("2", second.Headers.RetryAfter);
        made.SetResult();
        AssertSame(await first, await _scene.CreateAsync(at: other));
        Assert.Equal(1, _scene.Sent);
    }

    [Fact]
    public async Task Of_instances_that_claim_at_the_same_moment_one_runs_the_request()
    {
        var other = _scene.NewInstance();
        var met = 0;
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _scene.Store.Before = async step =>
        {
            if (step != "add")
                return;
            if (Interlocked.Increment(ref met) == 2)
                both.SetResult();
            await both.Task.WaitAsync(TimeSpan.FromSeconds(30));
        };

        var answers = await Task.WhenAll(_scene.CreateAsync(), _scene.CreateAsync(at: other));

        Assert.Equal(1, _scene.Sent);
        Assert.Contains(answers, answer => answer.Status == 201);
        Assert.All(answers, answer => Assert.True(answer.Status is 201 or 409));
    }

    [Fact]
    public async Task A_creation_whose_instance_died_is_not_sent_again_and_its_outcome_is_unknown()
    {
        var (_, _) = await BeginAsync();
        _scene.Restart();
        (await _scene.CreateAsync()).IsProblem(409, "idempotency-key-in-use");

        _scene.Clock.Advance(IdempotencyScene.Lease);
        for (var i = 0; i < 3; i++)
            (await _scene.CreateAsync()).IsProblem(504, "outcome-unknown");

        (await _scene.CreateAsync(body: "nelson@hooli.com")).IsProblem(422, "idempotency-key-reused");
        Assert.Equal(1, _scene.Sent);
        Assert.Single(_scene.Logs.Lines, line => line.Contains("unknown whether", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_creation_that_was_taken_for_dead_and_succeeds_after_all_is_answered_from_then_on()
    {
        var (made, first) = await BeginAsync();
        var other = _scene.NewInstance();
        _scene.Clock.Advance(IdempotencyScene.Lease);
        (await _scene.CreateAsync(at: other)).IsProblem(504, "outcome-unknown");

        made.SetResult();

        AssertSame(await first, await _scene.CreateAsync(at: other));
        Assert.Equal((201, 1), ((await first).Status, _scene.Sent));
    }

    [Fact]
    public async Task A_sync_whose_instance_died_is_started_again_once_and_the_late_first_changes_nothing()
    {
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _scene.AtBasiq = () => late.Task;
        var first = _scene.StartAsync();
        _scene.Restart();
        (await _scene.StartAsync()).IsProblem(409, "idempotency-key-in-use");
        _scene.AtBasiq = () => Task.CompletedTask;
        _scene.Clock.Advance(IdempotencyScene.Lease);

        var second = await _scene.StartAsync();
        late.SetResult();
        await first;

        Assert.Equal((202, "\"run 2\""), (second.Status, second.Body));
        AssertSame(second, await _scene.StartAsync());
        Assert.Equal(2, _scene.Sent);
    }

    [Fact]
    public async Task A_creation_of_unknown_outcome_stays_unknown_and_is_not_sent_again()
    {
        _scene.AtBasiq = () => throw IdempotencyScene.Failure(BasiqFailureKind.OutcomeUnknown, 500);
        var first = await _scene.CreateAsync();
        first.IsProblem(502, "outcome-unknown");
        _scene.AtBasiq = () => Task.CompletedTask;

        var second = await _scene.CreateAsync(at: _scene.NewInstance());

        second.IsProblem(502, "outcome-unknown");
        AssertSame(first, second);
        Assert.Equal(1, _scene.Sent);
    }

    [Fact]
    public async Task A_creation_that_ends_unexpectedly_counts_as_of_unknown_outcome()
    {
        _scene.AtBasiq = () => throw new InvalidOperationException("gavin@hooli.com");
        (await _scene.CreateAsync()).IsProblem(500, "internal-error");
        _scene.AtBasiq = () => Task.CompletedTask;

        (await _scene.CreateAsync()).IsProblem(504, "outcome-unknown");
        Assert.Equal(1, _scene.Sent);
    }

    [Theory]
    [InlineData(BasiqFailureKind.Overloaded, 429, 429)]
    [InlineData(BasiqFailureKind.Overloaded, 403, 503)]
    [InlineData(BasiqFailureKind.Unavailable, null, 503)]
    [InlineData(BasiqFailureKind.Timeout, null, 504)]
    [InlineData(BasiqFailureKind.Unauthorized, 401, 502)]
    public async Task What_surely_was_not_carried_out_gives_the_key_back(BasiqFailureKind kind, int? upstream, int status)
    {
        _scene.AtBasiq = () => throw IdempotencyScene.Failure(kind, upstream);
        Assert.Equal(status, (await _scene.CreateAsync()).Status);
        Assert.Null(await _scene.RecordAsync());
        _scene.AtBasiq = () => Task.CompletedTask;

        Assert.Equal(201, (await _scene.CreateAsync()).Status);
    }

    [Fact]
    public async Task What_waits_for_a_first_request_that_fails_for_the_moment_is_run_itself()
    {
        var (made, first) = await BeginAsync();
        var second = _scene.CreateAsync();
        _scene.AtBasiq = () => Task.CompletedTask;

        made.SetException(IdempotencyScene.Failure(BasiqFailureKind.Overloaded, 429));

        Assert.Equal(429, (await first).Status);
        Assert.Equal((201, "/api/users/user-2"), ((await second).Status, (await second).Headers.Location.ToString()));
    }

    [Theory]
    [InlineData(BasiqFailureKind.Invalid, 400, "POST /users", 400)]
    [InlineData(BasiqFailureKind.NotFound, 404, "GET /users/{userId}/jobs", 404)]
    public async Task What_Basiq_refuses_for_what_it_is_stays_refused(BasiqFailureKind kind, int upstream, string endpoint, int status)
    {
        _scene.AtBasiq = () => throw IdempotencyScene.Failure(kind, upstream, endpoint: endpoint);
        var first = await _scene.CreateAsync();
        Assert.Equal(status, first.Status);
        _scene.AtBasiq = () => Task.CompletedTask;

        AssertSame(first, await _scene.CreateAsync());
        Assert.Equal(1, _scene.Sent);
    }

    [Fact]
    public async Task A_caller_who_hangs_up_does_not_stop_what_has_begun()
    {
        using var caller = new CancellationTokenSource();
        var (made, first) = await BeginAsync((_, _) => _scene.CreateAsync(aborted: caller.Token));
        var second = _scene.CreateAsync(aborted: caller.Token);

        await caller.CancelAsync();
        Assert.Equal(StatusCodes.Status499ClientClosedRequest, (await second).Status);
        made.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Assert.Equal("/api/users/user-1", (await _scene.CreateAsync()).Headers.Location);
        Assert.Equal(1, _scene.Sent);
    }

    [Fact]
    public async Task The_store_holds_nothing_of_the_key_the_request_or_the_answer_in_the_clear()
    {
        await _scene.CreateAsync("richard@hooli.com", "gavin@hooli.com");

        // Unsealed it would be JSON with the body in base64, which a search for words would not see.
        Assert.Null(StoredAnswer.FromBytes((await _scene.RecordAsync("richard@hooli.com"))!.Answer));
        _scene.AtBasiq = () => throw IdempotencyScene.Failure(BasiqFailureKind.OutcomeUnknown);
        await _scene.CreateAsync("monica@hooli.com", "nelson@hooli.com");

        Assert.Contains("user-1", _scene.StoredText(), StringComparison.Ordinal);
        Assert.DoesNotContain("hooli", _scene.StoredText() + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rotated_secret_makes_no_second_user_and_the_answer_is_made_again_of_what_Basiq_has()
    {
        await _scene.CreateAsync();
        await _scene.Vault.CreateClient().SetSecretAsync("idempotency-seal-key", "another");

        var again = await _scene.CreateAsync(at: _scene.NewInstance());

        Assert.Equal((201, "/api/users/user-1", "\"user-1 as it is now\""), (again.Status, again.Headers.Location.ToString(), again.Body));
        Assert.Equal((1, 1), (_scene.Sent, _scene.Restored));
    }

    [Fact]
    public async Task An_instance_with_the_old_secret_learns_the_new_one_from_an_answer_that_it_cannot_open()
    {
        await _scene.CreateAsync("key-0");
        await _scene.Vault.CreateClient().SetSecretAsync("idempotency-seal-key", "another");
        var first = await _scene.CreateAsync("key-1", at: _scene.NewInstance());

        _scene.Clock.Advance(AnswerSeal.LeastBetweenLooks);
        AssertSame(first, await _scene.CreateAsync("key-1"));
        Assert.Equal(0, _scene.Restored);
    }

    [Fact]
    public async Task An_answer_that_is_too_large_to_keep_is_made_again()
    {
        var body = new string('x', IdempotencyRecord.MaxAnswerBytes);
        Assert.Equal(201, (await _scene.CreateAsync(body: body)).Status);

        Assert.Equal("\"user-1 as it is now\"", (await _scene.CreateAsync(body: body)).Body);
        Assert.Equal((1, 1), (_scene.Sent, _scene.Restored));
    }

    [Fact]
    public async Task Without_Key_Vault_no_creation_with_a_key_begins_and_syncs_go_on()
    {
        _scene.Vault.IsDown = true;

        (await _scene.CreateAsync()).IsProblem(503, "dependency-unavailable");
        Assert.Equal(0, _scene.Sent);
        var sync = await _scene.StartAsync("key-2");

        Assert.Equal(202, sync.Status);
        AssertSame(sync, await _scene.StartAsync("key-2"));
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_with_a_key_begins()
    {
        _scene.Store.Before = _ => throw new Azure.RequestFailedException(503, "away");
        (await _scene.CreateAsync()).IsProblem(503, "dependency-unavailable");
        _scene.Store.Before = step => step == "add" ? throw new Azure.RequestFailedException(503, "away") : Task.CompletedTask;
        (await _scene.CreateAsync()).IsProblem(503, "dependency-unavailable");
        Assert.Equal(0, _scene.Sent);

        _scene.Store.Before = null;
        Assert.Equal(201, (await _scene.CreateAsync()).Status);
    }

    [Fact]
    public async Task An_outcome_that_cannot_be_kept_is_answered_and_never_repeated()
    {
        _scene.Store.Before = step => step == "replace" ? throw new Azure.RequestFailedException(503, "away") : Task.CompletedTask;
        Assert.Equal(201, (await _scene.CreateAsync()).Status);
        _scene.Store.Before = null;

        (await _scene.CreateAsync()).IsProblem(409, "idempotency-key-in-use");
        _scene.Clock.Advance(IdempotencyScene.Lease);
        (await _scene.CreateAsync()).IsProblem(504, "outcome-unknown");
        Assert.Equal(1, _scene.Sent);
        Assert.Contains("could not store the outcome of a request with an Idempotency-Key (RequestFailedException)", _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("add")]
    [InlineData("replace")]
    public async Task A_change_of_the_store_whose_answer_was_lost_is_recognised(string step)
    {
        _scene.Store.LosesAnswerOf = changed => changed == step;
        var first = await _scene.CreateAsync();
        _scene.Store.LosesAnswerOf = _ => false;

        Assert.Equal(201, first.Status);
        AssertSame(first, await _scene.CreateAsync());
        Assert.Equal(1, _scene.Sent);
    }

    [Fact]
    public async Task A_user_s_records_go_with_the_user()
    {
        await _scene.CreateAsync("key-1");
        await _scene.StartAsync("key-2");
        await _scene.CreateAsync("key-3");
        await _scene.Here.RemoveUserAsync(new("user-1"), default);
        Assert.Null(await _scene.RecordAsync("key-1"));
        Assert.Null(await _scene.RecordAsync("key-2"));
        Assert.NotNull(await _scene.RecordAsync("key-3"));
    }

    [Fact]
    public async Task A_user_who_is_deleted_while_a_sync_is_being_started_leaves_no_answer()
    {
        var (made, first) = await BeginAsync(_scene.StartAsync);
        await _scene.Here.RemoveUserAsync(new("user-1"), default);
        made.SetResult();

        Assert.Equal(202, (await first).Status);
        Assert.Null(await _scene.RecordAsync());
    }

    private static void AssertSame(Answer expected, Answer actual)
    {
        Assert.Equal((expected.Status, expected.Body, expected.ContentType), (actual.Status, actual.Body, actual.ContentType));
        Assert.Equal(expected.Headers.OrderBy(h => h.Key), actual.Headers.OrderBy(h => h.Key));
    }

    /// <summary>Begins a request that ends when the test says so.</summary>
    private async Task<(TaskCompletionSource Made, Task<Answer> First)> BeginAsync(Func<string, IdempotentRequests?, Task<Answer>>? ask = null)
    {
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _scene.AtBasiq = () =>
        {
            begun.TrySetResult();
            return made.Task;
        };
        var first = ask is null ? _scene.CreateAsync() : ask("key-1", null);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return (made, first);
    }
}
