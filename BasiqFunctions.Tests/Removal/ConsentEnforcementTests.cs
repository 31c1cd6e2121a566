using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Platform.Records;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Users;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Removal;

[Trait("Category", "Unit")]
public sealed class ConsentEnforcementTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("revoked", "2025-01-01T00:00:00Z", DeletionReason.ConsentRevoked)]
    [InlineData("Revoked", "2025-01-01T00:00:00Z", DeletionReason.ConsentRevoked)]
    [InlineData("expired", "2024-01-01T00:00:00Z", DeletionReason.ConsentExpired)]
    [InlineData("EXPIRED", "2030-01-01T00:00:00Z", DeletionReason.ConsentExpired)]
    public async Task When_no_consent_is_left_everything_goes_and_a_receipt_stays(string status, string expiry, DeletionReason reason)
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        await _scene.PublishAsync(new("user-2"), "c3");
        var running = SyncIds.For(UserId, [new("j1")]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);
        Consents(Consent("consent-1", status, expiry), Consent("consent-0", "revoked", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"));

        var result = await EndAsync("consent-1");

        Assert.Equal((EnforcementOutcome.Removed, true), (result.Outcome, result.IsComplete));
        Assert.Null(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(new("user-2"), default));
        Assert.Empty(_scene.Durable.Instances);
        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal(
            (UserId, reason, "consent-1", null, 2L, 2L, 1), (receipt.UserId, receipt.Reason, receipt.ConsentId, receipt.ConnectionId, receipt.Accounts, receipt.Connections, receipt.SyncsStopped));
        Assert.Equal(_scene.Clock.GetUtcNow(), receipt.RemovedAt);

        Assert.Equal(EnforcementOutcome.NothingKept, (await EndAsync("consent-1")).Outcome);
        Assert.Single(await ReceiptsAsync());
    }

    [Fact]
    public async Task The_consent_that_ended_last_is_the_reason_where_none_is_named()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(
            Consent("old", "revoked", "2024-01-01T00:00:00Z", "2023-06-01T00:00:00Z"),
            Consent("newest", "expired", "2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"),
            Consent("newer", "revoked", "2024-04-01T00:00:00Z", "2024-04-01T00:00:00Z"));

        await EndAsync(null);

        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.ConsentExpired, "newest"), (receipt.Reason, receipt.ConsentId));
    }

    [Fact]
    public async Task A_user_without_any_consent_is_one_whose_consent_has_ended()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents();
        Connections("""{"id":"c1","status":"invalid"}""");
        await EndAsync("consent-1");
        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.ConsentRevoked, "consent-1"), (receipt.Reason, receipt.ConsentId));
    }

    [Fact]
    public async Task A_user_with_uploaded_statements_alone_needs_no_consent()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents();
        Connections("""{"id":"c1","status":"active","method":"pdf"}""");

        Assert.Equal((EnforcementOutcome.StillConsented, true), ((await EndAsync(null)) is var result ? result.Outcome : default, result.IsAnythingKept));
        Assert.True(await _scene.Get<ConsentEnforcement>().IsConsentInForceAsync(UserId, default));
        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));

        // A connection to a bank takes one: nothing is kept, or removed, on the word of a list without any.
        foreach (var status in (string[])["active", "invalid"])
        {
            Connections("""{"id":"c1","status":"active","method":"pdf"}""", $$"""{"id":"c2","status":"{{status}}","method":"open-banking"}""");
            await Assert.ThrowsAsync<BasiqException>(() => EndAsync(null));
        }

        // What Basiq no longer has goes.
        await _scene.PublishAsync(UserId, "c2");
        Connections("""{"id":"c1","status":"active","method":"pdf"}""");
        await EndAsync(null);
        Assert.Equal("c1", Assert.Single((await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts).ConnectionId);
    }

    [Theory]
    [InlineData(BasiqFailureKind.NotFound, true)]
    [InlineData(BasiqFailureKind.Gone, true)]
    [InlineData(BasiqFailureKind.NotFound, false)]
    [InlineData(BasiqFailureKind.Gone, false)]
    public async Task When_Basiq_does_not_know_the_user_everything_goes_only_if_it_said_that_the_user_was_deleted(
        BasiqFailureKind kind, bool isDeleted)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(kind));

        var result = await _scene.Get<ConsentEnforcement>().EnforceAsync(_scene.Durable.Client, UserId, null, default, isDeleted: isDeleted);

        Assert.Equal(isDeleted ? EnforcementOutcome.Removed : EnforcementOutcome.UserUnknown, result.Outcome);
        Assert.Equal(!isDeleted, _scene.HasSnapshotFiles);
        Assert.Equal(isDeleted ? [DeletionReason.UserDeleted] : [], (await ReceiptsAsync()).Select(receipt => receipt.Reason));
    }

    [Theory]
    [InlineData("""{"id":"x","status":"active","revoked":"","expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","status":"active","revoked":"0001-01-01T00:00:00Z","expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","status":"active","revoked":null,"expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","status":"active","expiryDate":"0001-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","status":"Active","expiryDate":null}""", false)]
    [InlineData("""{"id":"x","status":"archived","expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"x","status":"active","expiryDate":"2024-06-01T12:00:00Z"}""", true)]
    [InlineData("""{"id":"x","status":"active","revoked":"2024-05-01T00:00:00Z","expiryDate":"2030-01-01T00:00:00Z"}""", true)]
    public async Task A_consent_whose_status_does_not_say_that_it_has_ended_is_in_force_and_doubted_where_its_dates_say_otherwise(
        string consent, bool isDoubted)
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(BasiqFunctions.Basiq.Models.Consent.Parse(consent));
        Connections("""{"id":"c1","status":"active"}""");

        Assert.Equal(EnforcementOutcome.StillConsented, (await EndAsync(null)).Outcome);

        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(await ReceiptsAsync());
        var listed = await _scene.CallAsync<UserConsentFunctions>((f, r) => f.ListConsents(r, UserId, default));
        var standing = Assert.Single(listed.Json.GetProperty("standings").EnumerateArray());
        Assert.Equal(isDoubted, standing.TryGetProperty("isDoubted", out var doubted) && doubted.GetBoolean());
        Assert.False(standing.GetProperty("status").GetString() is "revoked" or "expired");
    }

    [Fact]
    public async Task That_nothing_of_a_user_is_listed_is_no_end_of_a_consent()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents();
        Connections();

        Assert.Equal(EnforcementOutcome.NothingListed, (await EndAsync(null)).Outcome);

        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(await ReceiptsAsync());
    }

    [Fact]
    public async Task A_user_whom_Basiq_ceases_to_know_while_it_is_asked_keeps_the_data_of_all_connections()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("x", "active", "2025-01-01T00:00:00Z"));
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));

        await Assert.ThrowsAsync<BasiqException>(() => EndAsync(null));

        Assert.True(_scene.HasSnapshotFiles);
    }

    [Theory]
    [InlineData(BasiqFailureKind.Unavailable)]
    [InlineData(BasiqFailureKind.Forbidden)]
    [InlineData(BasiqFailureKind.UnusableAnswer)]
    public async Task While_Basiq_cannot_be_asked_nothing_goes(BasiqFailureKind kind)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(kind));

        await Assert.ThrowsAsync<BasiqException>(() => EndAsync("consent-1"));

        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.Empty(await ReceiptsAsync());
    }

    [Theory]
    [InlineData("active")]
    [InlineData("a-status-to-come")]
    public async Task While_another_consent_is_active_only_the_connections_that_Basiq_no_longer_lists_go(string status)
    {
        await _scene.PublishAsync(UserId, "c1", "c2", "c3");
        Consents(Consent("ended", "revoked", "2025-01-01T00:00:00Z"), Consent("other", status, "2025-01-01T00:00:00Z"));
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([Connection.Parse("""{"id":"c2"}"""), Connection.Parse("""{"id":"c9"}""")]);

        var result = await EndAsync("ended");

        Assert.Equal(EnforcementOutcome.StillConsented, result.Outcome);
        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        var receipts = await ReceiptsAsync();
        Assert.Equal(["c1", "c3"], receipts.Select(r => r.ConnectionId?.Value).Order());
        Assert.All(receipts, r => Assert.Equal((DeletionReason.ConsentRevoked, "ended", 1L), (r.Reason, r.ConsentId, r.Accounts)));
        await EndAsync("ended");
        Assert.Equal(2, (await ReceiptsAsync()).Count);
    }

    [Theory]
    [InlineData("invalid", "2024-02-01T00:00:00Z", null, "c2")]
    [InlineData("active", "2024-02-01T00:00:00Z", null, "c1 c2")]
    [InlineData("pending", "2024-02-01T00:00:00Z", null, "c1 c2")]
    [InlineData("invalid", "2024-06-02T00:00:00Z", null, "c1 c2")]
    [InlineData("invalid", null, null, "c1 c2")]
    [InlineData("invalid", "2024-02-01T00:00:00Z", "2025-06-01T18:00:00Z", "c1 c2")]
    public async Task While_another_consent_is_active_a_connection_that_is_listed_goes_only_if_it_is_invalid_and_older_than_that(
        string status, string? created, string? expiry, string left)
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Consents(
            Consent("ended", "revoked", "2025-01-01T00:00:00Z", created: "2024-01-01T00:00:00Z"),
            Consent("other", "active", "2025-06-01T18:00:00Z", created: "2024-06-01T18:00:00Z"));
        Connections(
            JsonSerializer.Serialize(new { id = "c1", status, createdDate = created, expiryDate = expiry }),
            """{"id":"c2","status":"active","createdDate":"2024-02-01T00:00:00Z"}""");
        _scene.Clock.Advance(TimeSpan.FromDays(1));

        await EndAsync(null);

        Assert.Equal(left, string.Join(' ', (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value)));
        Assert.Equal(left == "c2" ? ["c1"] : [], (await ReceiptsAsync()).Select(r => r.ConnectionId?.Value));
    }

    [Theory]
    [InlineData("2024-01-01T00:00:00Z")]
    [InlineData("2024-06-01T11:00:00Z")]
    public async Task A_connection_that_became_invalid_under_a_consent_that_is_active_keeps_its_data(string given)
    {
        // Made anew or fetched under the consent that is active, as when the password changed at the bank later.
        await _scene.PublishAsync(UserId, "c1");
        Consents(
            Consent("ended", "expired", "2024-02-01T00:00:00Z", created: "2023-02-01T00:00:00Z"),
            Consent("other", "active", "2025-01-01T00:00:00Z", created: given));
        Connections("""{"id":"c1","status":"invalid","createdDate":"2024-03-01T00:00:00Z","lastUsed":"2024-06-01T11:30:00Z"}""");

        await EndAsync("ended");

        Assert.NotEmpty((await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts);
        Assert.Empty(await ReceiptsAsync());
    }

    [Theory]
    [InlineData("""{"id":"c2","status":"active"}""")]
    [InlineData("""{"id":"c2","status":"active"}""", """{"id":"c1","status":"invalid","createdDate":"2024-02-01T00:00:00Z","lastUsed":"2024-02-01T00:00:00Z"}""")]
    public async Task A_sync_that_fetches_a_connection_left_by_its_consent_does_not_publish_it(params string[] connections)
    {
        await _scene.PublishAsync(UserId, "c2");
        var startedAt = _scene.Clock.GetUtcNow();
        await StageAsync("run-1", "c1", "c2");
        _scene.Clock.Advance(TimeSpan.FromSeconds(10));
        Consents(
            Consent("ended", "revoked", "2025-01-01T00:00:00Z"),
            Consent("other", "active", "2025-01-01T00:00:00Z", created: "2024-06-01T00:00:00Z"));
        Connections(connections);

        await EndAsync("ended");

        await _scene.Snapshots.Publisher.PublishAsync(
            new SnapshotPublication(UserId, new("run-1"), startedAt, [new("c1"), new("c2")], new Dictionary<AccountId, IReadOnlyList<string>>()), default);
        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        Assert.Empty(await ReceiptsAsync());
    }

    [Fact]
    public async Task A_connection_that_is_made_while_Basiq_is_asked_is_not_taken_for_one_that_it_no_longer_lists()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("ended", "revoked", "2025-01-01T00:00:00Z"), Consent("other", "active", "2025-01-01T00:00:00Z"));
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).Returns(async () =>
        {
            await _scene.PublishAsync(UserId, "c9");
            return [Connection.Parse("""{"id":"c1","status":"active"}""")];
        });

        await EndAsync("ended");

        Assert.Contains("c9", (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
    }

    [Fact]
    public async Task An_empty_list_of_connections_is_believed_only_of_those_that_Basiq_does_not_know_when_asked_for_each()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Consents(Consent("ended", "revoked", "2025-01-01T00:00:00Z"), Consent("other", "active", "2025-01-01T00:00:00Z"));
        Connections();
        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, new("c1"), It.IsAny<CancellationToken>())).ReturnsAsync(Connection.Parse("""{"id":"c1"}"""));
        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, new("c2"), It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));

        await EndAsync("ended");

        Assert.Equal(["c1"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
    }

    [Fact]
    public async Task A_connection_that_Basiq_no_longer_has_while_no_consent_has_ended_was_deleted()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Consents(Consent("other", "active", "2025-01-01T00:00:00Z"));
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([Connection.Parse("""{"id":"c2"}""")]);

        await EndAsync(null);

        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.ConnectionDeleted, "c1", null), (receipt.Reason, receipt.ConnectionId?.Value, receipt.ConsentId));
    }

    [Fact]
    public async Task An_empty_list_of_consents_is_not_believed_while_a_connection_works()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents();
        Connections("""{"id":"c1","status":"active"}""");

        var thrown = await Assert.ThrowsAsync<BasiqException>(() => EndAsync("consent-1"));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, true), (thrown.Failure.Kind, thrown.Failure.IsTransient));
        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.Empty(await ReceiptsAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_machine_that_dies_half_way_goes_on_by_itself(int step)
    {
        // Dies at the n-th step that changes something, of the receipts or of the snapshots.
        var changes = 0;
        var dies = true;
        void Step()
        {
            if (dies && ++changes == step)
                throw new IOException("the machine died");
        }

        using var scene = new UsersScene(services =>
        {
            var files = (ISnapshotStorage)services.Last(s => s.ServiceType == typeof(ISnapshotStorage)).ImplementationInstance!;
            services.AddSingleton<ISnapshotStorage>(new InterceptedStorage(files)
            {
                Before = (what, _) =>
                {
                    if (what is "delete-prefix")
                        Step();
                    return Task.CompletedTask;
                },
            });
            var tables = services.Last(s => s.ServiceType == typeof(IRecordTables)).ImplementationFactory!;
            services.AddSingleton<IRecordTables>(provider => new SteppedTables((IRecordTables)tables(provider), Step));
        });
        dies = false;
        await scene.PublishAsync(UserId, "c1", "c2");
        scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([Consent("x", "revoked", "2025-01-01T00:00:00Z")]);
        dies = true;
        var end = scene.Get<ConsentEnforcement>();
        await scene.PassTimeAsync(end.EnforceAsync(scene.Durable.Client, UserId, "x", default));
        await scene.EndOfRemovalAsync(UserId);
        Assert.True(changes > step);
        await end.EnforceAsync(scene.Durable.Client, UserId, "x", default);

        Assert.Null(await scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.False(scene.HasSnapshotFiles);
        var receipt = Assert.Single(await scene.Get<DeletionReceipts>().ListAsync(UserId, default));
        Assert.Equal((2L, 2L, DeletionReason.ConsentRevoked), (receipt.Accounts, receipt.Connections, receipt.Reason));
    }

    [Fact]
    public async Task Calls_at_the_same_time_leave_one_receipt()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("x", "revoked", "2025-01-01T00:00:00Z"));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => EndAsync("x"))));

        Assert.Equal(1, Assert.Single(await ReceiptsAsync()).Accounts);
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_read_goes_all_the_same_and_its_receipt_does_not_claim_to_have_counted()
    {
        await _scene.PublishAsync(UserId, "c1");
        var storage = _scene.Get<ISnapshotStorage>();
        var manifest = await storage.ReadAsync($"{UserId}/current.json", default);
        await storage.TryPutAsync($"{UserId}/current.json", "{"u8.ToArray(), manifest!.ETag, default);
        Consents(Consent("x", "revoked", "2025-01-01T00:00:00Z"));

        Assert.Equal(EnforcementOutcome.Removed, (await EndAsync("x")).Outcome);

        Assert.False(_scene.HasSnapshotFiles);
        Assert.Null(Assert.Single(await ReceiptsAsync()).Accounts);
    }

    [Fact]
    public async Task Receipts_are_listed_newest_first_for_as_long_as_they_are_kept_and_of_users_who_are_gone()
    {
        _scene.Basiq.Setup(b => b.DeleteUserAsync(UserId, It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(UserId, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        await _scene.PublishAsync(UserId, "c1", "c2");
        Assert.Equal(204, (await _scene.CallAsync<ConnectionFunctions>((f, r) => f.DeleteConnection(r, UserId, "c1", _scene.Durable.Client))).Status);
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(204, (await _scene.CallAsync<UserFunctions>((f, r) => f.DeleteUser(r, UserId, _scene.Durable.Client))).Status);

        var answer = await _scene.CallAsync<DeletionReceiptFunctions>((f, r) => f.ListDeletionReceipts(r, UserId, default));

        Assert.Equal(200, answer.Status);
        var receipts = answer.Json.GetProperty("receipts").EnumerateArray().ToArray();
        Assert.Equal(["user-deleted", "connection-deleted"], receipts.Select(r => r.GetProperty("reason").GetString()));
        Assert.Equal("c1", receipts[1].GetProperty("connectionId").GetString());
        Assert.Equal((1, 1), (receipts[0].GetProperty("accounts").GetInt32(), receipts[0].GetProperty("connections").GetInt32()));
        Assert.False(receipts[0].TryGetProperty("connectionId", out _));
        Assert.Equal("2024-06-01T13:00:00+00:00", receipts[0].GetProperty("removedAt").GetString());

        _scene.Clock.Advance(new ReceiptOptions().KeepFor - TimeSpan.FromSeconds(1));
        Assert.Single(await ReceiptsAsync());
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await ReceiptsAsync());
    }

    [Theory]
    [InlineData("Receipts:Table", "No-Table")]
    [InlineData("Receipts:KeepFor", "00:00:01")]
    public void A_wrong_setting_stops_the_start(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        var thrown = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(
            () => scene.Get<Microsoft.Extensions.Options.IStartupValidator>().Validate());
        Assert.Contains(key, thrown.Message, StringComparison.Ordinal);
    }

    private static Consent Consent(
        string id, string status, string expiry, string updated = "2024-05-01T00:00:00Z", string created = "2024-01-01T00:00:00Z") =>
        BasiqFunctions.Basiq.Models.Consent.Parse(
            $$"""{"type":"consent","id":"{{id}}","status":"{{status}}","created":"{{created}}","updated":"{{updated}}","expiryDate":"{{expiry}}"}""");

    private void Consents(params Consent[] consents) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(consents);

    private void Connections(params string[] connections) =>
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([.. connections.Select(Connection.Parse)]);

    /// <summary>Stages one account of each connection, as a sync does that has not published yet.</summary>
    private Task StageAsync(string syncId, params string[] connectionIds) => _scene.Snapshots.Staging.StageAccountsAsync(
        UserId,
        new(syncId),
        connectionIds.Select(id => new ReadOnlyMemory<byte>(JsonSerializer.SerializeToUtf8Bytes(
            new { id = $"account-of-{id}", connection = id, institution = "AU00000" }))),
        default);

    private Task<EnforcementResult> EndAsync(string? consentId) =>
        _scene.Get<ConsentEnforcement>().EnforceAsync(_scene.Durable.Client, UserId, consentId, default);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);

    private sealed class SteppedTables(IRecordTables inner, Action step) : IRecordTables
    {
        public IRecordTable Open(string name) => new InterceptedRecordTable(inner.Open(name))
        {
            Before = what =>
            {
                if (what is not "find")
                    step();
                return Task.CompletedTask;
            },
        };
    }
}
