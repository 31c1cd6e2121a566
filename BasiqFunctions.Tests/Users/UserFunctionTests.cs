using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using BasiqFunctions.Users;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Moq;
using static BasiqFunctions.Tests.Users.UsersScene;

namespace BasiqFunctions.Tests.Users;

[Trait("Category", "Unit")]
public sealed class UserFunctionTests : IDisposable
{
    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_created_user_comes_back_as_Basiq_gave_it_with_its_address()
    {
        UserDetails? sent = null;
        _scene.Basiq.Setup(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .Callback((UserDetails details, CancellationToken _) => sent = details)
            .ReturnsAsync(BasiqUser());

        var answer = await Create("""
            {"email":"gavin@hooli.com","mobile":"+61410888666","firstName":"Gavin","middleName":"","lastName":"Belson",
             "businessName":"Hooli","businessIdNo":"51 824 753 556","businessIdNoType":"ABN","verificationStatus":true,
             "verificationDate":"31/01/2024","businessAddress":{"addressLine1":"21 Sydney Rd","addressLine2":"","suburb":"Manly",
             "state":"NSW","postcode":"2095","countryCode":"AUS"}}
            """);

        Assert.Equal(201, answer.Status);
        Assert.Equal("/api/users/user-1", answer.Headers.Location);
        Assert.Equal("no-store", answer.Headers.CacheControl);
        Assert.Equal("""{"type":"user","id":"user-1","email":"gavin@hooli.com","later":{"a":[null,1.50]}}""", answer.Body);
        Assert.Equal(
            new UserDetails
            {
                Email = "gavin@hooli.com",
                Mobile = "+61410888666",
                FirstName = "Gavin",
                MiddleName = "",
                LastName = "Belson",
                BusinessName = "Hooli",
                BusinessIdNo = "51 824 753 556",
                BusinessIdNoType = "ABN",
                VerificationStatus = true,
                VerificationDate = "31/01/2024",
                BusinessAddress = new BusinessAddress
                {
                    AddressLine1 = "21 Sydney Rd",
                    AddressLine2 = "",
                    Suburb = "Manly",
                    State = "NSW",
                    Postcode = "2095",
                    CountryCode = "AUS",
                },
            },
            sent);
    }

    [Theory]
    [InlineData(null, 504)]
    [InlineData(504, 504)]
    [InlineData(500, 502)]
    public async Task A_creation_of_unknown_outcome_says_so_and_what_to_do(int? upstream, int status)
    {
        _scene.Basiq.Setup(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.OutcomeUnknown, upstream, "POST /users"));

        var answer = await Create("""{"email":"gavin@hooli.com"}""");

        answer.IsProblem(status, "outcome-unknown");
        Assert.Contains("before you send this again", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("corr-1", answer.Json.GetProperty("correlationId").GetString());
        _scene.Basiq.Verify(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()), Times.Once);
    }

    [Fact]
    public async Task What_Basiq_refuses_names_Basiqs_field_and_quotes_nothing()
    {
        var failure = new BasiqFailure(BasiqFailureKind.Invalid, "parameter-not-valid")
        {
            StatusCode = 400,
            CorrelationId = "corr-1",
            Detail = "gavin@hooli.com is bad",
            Sources = [new("parameter-not-valid", null, "/user/email", "gavin@hooli.com is bad"), new("odd", "x y<z", null, null)],
        };
        _scene.Basiq.Setup(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new BasiqException(failure));

        var answer = await Create("""{"email":"gavin@hooli.com"}""");

        answer.Names("email", "body");
        Assert.DoesNotContain("gavin", answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_personal_is_logged_or_in_an_error_when_a_creation_fails_unexpectedly()
    {
        _scene.Basiq.Setup(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new InvalidOperationException("gavin@hooli.com could not be stored"));

        var answer = await Create("""{"email":"gavin@hooli.com","firstName":"Gavin","mobile":"+61410888666"}""");

        answer.IsProblem(500, "internal-error");
        Assert.Single(_scene.Logs.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Contains("InvalidOperationException", _scene.Logs.Text, StringComparison.Ordinal);
        foreach (var secret in (string[])["gavin", "Gavin", "61410888666"])
            Assert.DoesNotContain(secret, answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_hung_up_makes_no_noise_in_the_log()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(new OperationCanceledException(gone.Token));

        await _scene.CallAsync<UserFunctions>((f, r) => f.GetUser(r, Someone, gone.Token), aborted: gone.Token);

        Assert.Empty(_scene.Logs.Lines);
    }

    [Fact]
    public async Task A_user_is_read_as_Basiq_gives_it()
    {
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync(BasiqUser());

        var answer = await _scene.CallAsync<UserFunctions>((f, r) => f.GetUser(r, Someone, default));

        Assert.Equal((200, BasiqUser().Json.GetRawText()), (answer.Status, answer.Body));
        Assert.Equal("no-store", answer.Headers.CacheControl);
    }

    [Theory]
    [InlineData(BasiqFailureKind.NotFound, 404, 404, "user-not-found", null)]
    [InlineData(BasiqFailureKind.Gone, 410, 404, "user-not-found", null)]
    [InlineData(BasiqFailureKind.Unauthorized, 401, 502, "basiq-refused", null)]
    [InlineData(BasiqFailureKind.Forbidden, 403, 502, "basiq-refused", null)]
    [InlineData(BasiqFailureKind.Overloaded, 429, 429, "basiq-overloaded", "10")]
    [InlineData(BasiqFailureKind.Overloaded, 403, 503, "basiq-overloaded", "10")]
    [InlineData(BasiqFailureKind.Unavailable, 500, 503, "basiq-unavailable", "10")]
    [InlineData(BasiqFailureKind.Unavailable, null, 503, "basiq-unavailable", "10")]
    [InlineData(BasiqFailureKind.Timeout, null, 504, "basiq-timeout", null)]
    [InlineData(BasiqFailureKind.UnusableAnswer, 200, 502, "basiq-unusable-answer", null)]
    [InlineData(BasiqFailureKind.Other, 418, 502, "basiq-unusable-answer", null)]
    public async Task Each_failure_of_Basiq_has_its_answer(
        BasiqFailureKind kind, int? upstream, int status, string code, string? retryAfter)
    {
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>())).ThrowsAsync(Failure(kind, upstream));

        var answer = await _scene.CallAsync<UserFunctions>((f, r) => f.GetUser(r, Someone, default));

        answer.IsProblem(status, code);
        Assert.Equal(retryAfter, answer.Headers.RetryAfter.SingleOrDefault());
        Assert.Equal("corr-1", answer.Json.GetProperty("correlationId").GetString());
        Assert.DoesNotContain("gavin", answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Basiqs_own_wish_for_a_pause_is_handed_on_rounded_up()
    {
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Overloaded, 429, retryAfter: TimeSpan.FromSeconds(41.2)));

        var answer = await _scene.CallAsync<UserFunctions>((f, r) => f.GetUser(r, Someone, default));

        Assert.Equal("42", answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task An_update_sends_the_given_fields_and_no_others()
    {
        UserDetails? sent = null;
        _scene.Basiq.Setup(b => b.UpdateUserAsync(Someone, It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .Callback((UserId _, UserDetails details, CancellationToken _) => sent = details)
            .ReturnsAsync(BasiqUser());

        var answer = await Update("""{"firstName":"Gav","middleName":""}""");

        Assert.Equal((200, BasiqUser().Json.GetRawText()), (answer.Status, answer.Body));
        Assert.Equal(new UserDetails { FirstName = "Gav", MiddleName = "" }, sent);
    }

    [Fact]
    public async Task An_update_of_nothing_is_refused() => (await Update("{}")).Names("body");

    [Fact]
    public async Task An_update_cannot_clear_a_field_with_null() =>
        (await Update("""{"email":null,"firstName":"Gav","lastName":null}""")).Names("email", "lastName");

    [Fact]
    public async Task An_update_takes_no_business_details_since_Basiq_takes_them_only_at_creation() =>
        (await Update("""{"businessName":"Hooli","verificationStatus":true,"firstName":"Gav"}"""))
            .Names("businessName", "verificationStatus");

    [Fact]
    public async Task Deleting_a_user_removes_it_at_Basiq_and_everything_here()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        var running = SyncIds.For(Someone, [new("job-1")]);
        var other = SyncIds.For(new("user-2"), [new("job-2")]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);
        _scene.Durable.Set(other, OrchestrationRuntimeStatus.Running);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .Callback(() => Assert.Equal([running], _scene.Durable.Events))
            .Returns(Task.CompletedTask);

        var answer = await Delete();

        Assert.Equal((204, ""), (answer.Status, answer.Body));
        Assert.False(_scene.HasSnapshotFiles);
        Assert.Equal([other], _scene.Durable.Instances);
        Assert.Equal([running], _scene.Durable.Events);
    }

    [Fact]
    public async Task A_sync_that_starts_while_Basiq_removes_the_user_is_stopped_too()
    {
        var late = SyncIds.For(Someone, [new("late")]);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .Callback(() => _scene.Durable.Set(late, OrchestrationRuntimeStatus.Running))
            .Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete()).Status);

        Assert.Equal([late], _scene.Durable.Events);
        Assert.Empty(_scene.Durable.Instances);
    }

    [Fact]
    public async Task A_sync_that_another_deletion_forgets_meanwhile_does_not_fail_this_one()
    {
        var running = SyncIds.For(Someone, [new("job-1")]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);
        _scene.Durable.AfterEvent = id => _scene.Durable.Client.PurgeInstanceAsync(id);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete()).Status);
    }

    [Fact]
    public async Task A_deletion_that_fails_at_Basiq_loses_nothing_here_and_can_be_repeated()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        _scene.Basiq.SetupSequence(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Unavailable, 500))
            .Returns(Task.CompletedTask);

        (await Delete()).IsProblem(503, "basiq-unavailable");
        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(Someone, default));

        Assert.Equal(204, (await Delete()).Status);
        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task Deleting_a_user_that_Basiq_no_longer_knows_removes_what_is_kept_here()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));
        GoesAfterTheFirstLook();

        Assert.Equal(204, (await Delete()).Status);
        Assert.False(_scene.HasSnapshotFiles);
        (await Delete()).IsProblem(404, "user-not-found");
    }

    [Fact]
    public async Task A_404_of_a_deletion_is_not_believed_while_Basiq_has_the_user()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));

        (await Delete()).IsProblem(502, "basiq-unusable-answer");

        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default));
    }

    [Fact]
    public async Task A_user_whom_Basiq_does_not_know_keeps_its_data_when_the_key_reads_nobody_else_either()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        await _scene.PublishAsync(new("user-2"), "connection-2");
        Unknown(Someone, "user-2");

        (await Delete()).IsProblem(502, "basiq-refused");
        Assert.Equal(2, (await _scene.UsersAsync()).Count);
        Assert.Empty(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default));

        // The right key is back, and the user is gone.
        Unknown(Someone);
        _scene.Basiq.Setup(b => b.GetUserAsync(new("user-2"), It.IsAny<CancellationToken>())).ReturnsAsync(UsersScene.BasiqUser());
        Assert.Equal(204, (await Delete()).Status);
        Assert.Equal(["user-2"], await _scene.UsersAsync());
    }

    // Basiq had the user at the first look, so that not to know it now says that it is deleted, also where the key reads nobody else.
    [Fact]
    public async Task A_deletion_whose_process_dies_once_Basiq_has_deleted_the_only_user_ends_by_itself_with_one_receipt()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        GoesAfterTheFirstLook();
        _scene.Basiq.SetupSequence(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(new IOException("the machine died")).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404)).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));

        Assert.InRange((await _scene.PassTimeAsync(Delete())).Status, 202, 204);
        await _scene.EndOfRemovalAsync(Someone);

        Assert.False(_scene.HasSnapshotFiles);
        Assert.Equal(DeletionReason.UserDeleted, Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default)).Reason);
        (await Delete()).IsProblem(404, "user-not-found");
    }

    [Fact]
    public async Task What_Basiq_has_of_a_user_is_purged_before_the_user_is_deleted()
    {
        List<string> asked = [];
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync(
        [
            Connection.Parse("""{"id":"c1","status":"active"}"""), Connection.Parse("""{"id":"c2","status":"invalid"}"""),
            Connection.Parse("""{"id":"c3","status":"active"}"""),
        ]);
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, It.IsAny<ConnectionId>(), It.IsAny<CancellationToken>()))
            .Callback((UserId _, ConnectionId connectionId, CancellationToken _) => asked.Add($"purge {connectionId}")).Returns(Task.CompletedTask);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>())).Callback(() => asked.Add("delete")).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete()).Status);

        Assert.Equal(["purge c1", "purge c3", "delete"], asked);
        Assert.Null(Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default)).ConnectionId);
    }

    [Theory]
    [InlineData("c2", " The connection's data was not purged at Basiq, and so the deletion ended there; call again. Before that, Basiq purged the data of 1 connection.")]
    [InlineData(null, " Before that, Basiq purged the data of 2 connections.")]
    public async Task A_deletion_that_Basiq_refuses_says_what_has_been_purged_before(string? refused, string said)
    {
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync([Connection.Parse("""{"id":"c1","status":"active"}"""), Connection.Parse("""{"id":"c2","status":"active"}""")]);
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, It.IsAny<ConnectionId>(), It.IsAny<CancellationToken>()))
            .Returns((UserId _, ConnectionId connectionId, CancellationToken _) =>
                connectionId == refused ? throw Failure(BasiqFailureKind.Forbidden, 403, BasiqClient.PurgeEndpoint) : Task.CompletedTask);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>())).ThrowsAsync(Failure(BasiqFailureKind.Forbidden, 403, "DELETE /users/{userId}"));

        var answer = await Delete();

        answer.IsProblem(502, "basiq-refused");
        Assert.EndsWith(said, answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deletion_that_is_asked_for_again_while_it_goes_on_leaves_one_receipt()
    {
        await _scene.PublishAsync(Someone, "connection-1");
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>())).Callback(asked.SetResult).Returns(answer.Task);

        var first = Delete();
        await asked.Task;
        var second = Delete();
        answer.SetResult();

        Assert.Equal((204, 204), ((await first).Status, (await second).Status));
        Assert.Equal(1, Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default)).Accounts);
    }

    [Fact]
    public async Task Deleting_a_user_of_whom_only_a_history_is_left_removes_that()
    {
        GoesAfterTheFirstLook();
        _scene.Durable.Set(SyncIds.For(Someone, [new("job-1")]), OrchestrationRuntimeStatus.Failed);
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));

        Assert.Equal(204, (await Delete()).Status);
        Assert.Empty(_scene.Durable.Instances);
    }

    [Fact]
    public async Task A_caller_that_hangs_up_once_Basiq_has_removed_the_user_does_not_keep_its_data_here()
    {
        using var gone = new CancellationTokenSource();
        var storage = new Mock<ISnapshotStorage>(MockBehavior.Strict);
        var removed = false;
        storage.Setup(s => s.DeleteByPrefixAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns((string _, CancellationToken cancellation) =>
            {
                cancellation.ThrowIfCancellationRequested();
                removed = true;
                return Task.CompletedTask;
            });
        storage.Setup(s => s.ReadAsync(It.IsAny<string>(), It.IsAny<CancellationToken>())).ReturnsAsync((SnapshotBlob?)null);
        storage.Setup(s => s.ListAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns(Array.Empty<SnapshotBlobInfo>().ToAsyncEnumerable());
        using var scene = new UsersScene(services => services.AddSingleton(storage.Object));
        scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>()))
            .Callback(gone.Cancel)
            .Returns(Task.CompletedTask);

        await scene.CallAsync<UserFunctions>((f, r) => f.DeleteUser(r, Someone, scene.Durable.Client));

        Assert.True(removed);
    }

    private Task<Answer> Create(string body) => _scene.CallAsync<UserFunctions>((f, r) => f.CreateUser(r, default), body);

    private Task<Answer> Update(string body) => _scene.CallAsync<UserFunctions>((f, r) => f.UpdateUser(r, Someone, default), body);

    private void GoesAfterTheFirstLook()
    {
        var looks = 0;
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>()))
            .Returns(() => looks++ == 0 ? Task.FromResult(UsersScene.BasiqUser()) : Task.FromException<User>(Failure(BasiqFailureKind.NotFound, 404)));
    }

    private void Unknown(params string[] users)
    {
        foreach (var user in users)
            _scene.Basiq.Setup(b => b.GetUserAsync(new(user), It.IsAny<CancellationToken>())).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));
        _scene.Basiq.Setup(b => b.DeleteUserAsync(Someone, It.IsAny<CancellationToken>())).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));
    }

    private Task<Answer> Delete() =>
        _scene.CallAsync<UserFunctions>((f, r) => f.DeleteUser(r, Someone, _scene.Durable.Client));
}
