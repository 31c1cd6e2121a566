using System.Text;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using static BasiqFunctions.Tests.Data.Changes.ChangeScene;

namespace BasiqFunctions.Tests.Data.Changes;

/// <summary>The feed as callers see it, in the app as a host composes it.</summary>
[Trait("Category", "Unit")]
public sealed class ChangeFunctionsTests : IDisposable
{
    private static readonly UserId OtherUser = new("user-2");

    private readonly UsersScene _scene = new();
    private int _syncs;

    private DateOnly Today => DateOnly.FromDateTime(_scene.Clock.GetUtcNow().UtcDateTime);

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Changes_are_answered_in_the_shape_of_the_contract()
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today), Pending("p1", Today, "Coles")]);
        var first = await ListAsync("?limit=1");
        Assert.Equal((200, "application/json; charset=utf-8", "no-store"), (first.Status, first.ContentType, first.Headers.CacheControl.ToString()));
        Assert.Equal(
            $$"""{"accounts":[{"type":"added","accountId":"a1","account":{{Account("a1", "c1")}}}],"changes":[{"type":"added","accountId":"a1","transactionId":"t1","transaction":{{Posted("t1", Today)}}}],"nextCursor":"{{Cursor(first)}}","hasMore":true,"dataAsOf":"2024-06-01T12:00:00+00:00"}""",
            first.Body);

        _scene.Clock.Advance(TimeSpan.FromHours(1));
        var posted = Posted("t2", Today, "Coles Sydney");
        await SyncAsync("c1", Account("a1", "c1", "2.00"), [Posted("t1", Today, "other words"), posted]);
        var second = await ListAsync($"?limit=1&cursor={Cursor(first)}");
        Assert.Equal(
            $$"""{"accounts":[{"type":"modified","accountId":"a1","account":{{Account("a1", "c1", "2.00")}}}],"changes":[{"type":"removed","accountId":"a1","transactionId":"p1"},{"type":"modified","accountId":"a1","transactionId":"t1","transaction":{{Posted("t1", Today, "other words")}}},{"type":"added","accountId":"a1","transactionId":"t2","inferredFrom":"p1","transaction":{{posted}}}]""",
            (await ListAsync($"?cursor={Cursor(await ListAsync($"?limit=1&cursor={Cursor(first)}"))}")).Body.Split(",\"nextCursor\"")[0]);
        Assert.Equal("p1", second.Json.GetProperty("changes")[0].GetProperty("transactionId").GetString());
        Assert.Equal(JsonValueKind.True, second.Json.GetProperty("hasMore").ValueKind);

        var last = await ListAsync($"?cursor={Cursor(second)}");
        var end = await ListAsync($"?cursor={Cursor(last)}");
        Assert.Equal($$"""{"changes":[],"nextCursor":"{{Cursor(last)}}","hasMore":false,"dataAsOf":"2024-06-01T13:00:00+00:00"}""", end.Body);
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=501", "limit")]
    [InlineData("?limit=1.5", "limit")]
    [InlineData("?accountId=a/1", "accountId")]
    [InlineData("?cursor=", "cursor")]
    [InlineData("?cursor=AQ", "cursor")]
    [InlineData("?cursor=a+b", "cursor")]
    [InlineData("?from=2024-01-01", "from")]
    public async Task What_is_not_acceptable_is_named(string query, string field)
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today)]);
        var answer = await ListAsync(query);
        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Json.GetProperty("code").GetString()));
        Assert.True(answer.Json.GetProperty("errors").TryGetProperty(field, out _), answer.Body);
    }

    [Fact]
    public async Task A_cursor_is_good_for_what_it_was_given_for_and_cannot_be_made_up()
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]);
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today)], OtherUser);
        var whole = Cursor(await ListAsync("?limit=1"));
        var parts = Cursor(await ListAsync($"?cursor={whole}"));
        foreach (var cursor in (string[])[whole, parts])
        {
            Assert.InRange(cursor.Length, 1, 200);
            Assert.DoesNotContain(cursor, c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'));
            Assert.Equal(200, (await ListAsync($"?cursor={cursor}")).Status);
            Assert.Equal(400, (await ListAsync($"?cursor={cursor}", OtherUser)).Status);
            Assert.Equal(400, (await ListAsync($"?cursor={cursor}&accountId=a1")).Status);
            for (var i = 0; i < cursor.Length; i++)
            {
                foreach (var other in "AB9_")
                {
                    if (cursor[i] != other)
                        Assert.Equal(400, (await ListAsync($"?cursor={cursor[..i]}{other}{cursor[(i + 1)..]}")).Status);
                }
            }

            Assert.Equal(400, (await ListAsync($"?cursor={cursor}A")).Status);
            Assert.Equal(400, (await ListAsync($"?cursor={cursor[..^2]}")).Status);
        }
    }

    [Fact]
    public async Task A_rotated_key_ends_no_cursor_and_one_that_is_disabled_those_that_it_signed()
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today)]);
        var cursor = Cursor(await ListAsync(""));
        var secrets = _scene.Vault.CreateClient();
        var old = (await secrets.GetSecretAsync(SecretNames.ChangeCursorKey)).Value.Properties;
        await secrets.SetSecretAsync(SecretNames.ChangeCursorKey, "another");
        _scene.Clock.Advance(TimeSpan.FromMinutes(6));
        var next = Cursor(await ListAsync($"?cursor={cursor}"));
        Assert.NotEqual(cursor, next);
        Assert.Equal(200, (await ListAsync($"?cursor={next}")).Status);

        // An instance that has just started has neither in memory.
        Assert.Equal(200, (await ListAsync($"?cursor={cursor}", isFresh: true)).Status);

        old.Enabled = false;
        await secrets.UpdateSecretPropertiesAsync(old);
        _scene.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(400, (await ListAsync($"?cursor={cursor}")).Status);
        Assert.Equal(200, (await ListAsync($"?cursor={next}")).Status);
    }

    [Fact]
    public async Task A_user_or_an_account_of_which_there_is_nothing_is_told_as_other_reads_tell_it()
    {
        Assert.Equal((404, "no-snapshot"), await ProblemAsync(""));
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]);
        Assert.Equal((404, "account-not-found"), await ProblemAsync("?accountId=a2"));

        // Whoever follows an account that is gone is told so, and not that there never was one.
        var cursor = Cursor(await ListAsync("?accountId=a1"));
        await _scene.Snapshots.Removal.RemoveConnectionAsync(UsersScene.Someone, new("c1"), null, default);
        var gone = await ListAsync($"?accountId=a1&cursor={cursor}");
        Assert.Equal("""[{"type":"removed","accountId":"a1"}]""", gone.Json.GetProperty("accounts").GetRawText());
        Assert.Equal(2, gone.Json.GetProperty("changes").GetArrayLength());
    }

    [Fact]
    public async Task A_cursor_whose_changes_are_not_kept_any_more_is_told_to_begin_again()
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today)]);
        var cursor = Cursor(await ListAsync(""));
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t2", Today)]);
        _scene.Clock.Advance(TimeSpan.FromDays(90));
        await _scene.Snapshots.Removal.RemoveLeftoversAsync(UsersScene.Someone, default);
        Assert.Equal((410, "cursor-expired"), await ProblemAsync($"?cursor={cursor}"));
        Assert.Equal(200, (await ListAsync("")).Status);
    }

    [Fact]
    public async Task With_the_consent_the_feed_goes_and_cursors_say_why()
    {
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t1", Today), Posted("t2", Today)]);
        var whole = Cursor(await ListAsync("?limit=1"));
        await SyncAsync("c1", Account("a1", "c1"), [Posted("t3", Today)]);
        await _scene.Snapshots.Removal.RemoveUserAsync(UsersScene.Someone, default);
        await _scene.Get<DeletionReceipts>().AddAsync(
            new DeletionReceipt("r1", UsersScene.Someone, DeletionReason.ConsentRevoked, "consent-1", null, 1, 2, 1, 0, _scene.Clock.GetUtcNow(), _scene.Clock.GetUtcNow()), default);
        Assert.False(_scene.HasSnapshotFiles);
        Assert.Equal((404, "consent-ended"), await ProblemAsync($"?cursor={whole}"));
        Assert.Equal((404, "consent-ended"), await ProblemAsync(""));
    }

    private static string Cursor(Answer answer) => answer.Json.GetProperty("nextCursor").GetString()!;

    private async Task<(int, string?)> ProblemAsync(string query, UserId? userId = null)
    {
        var answer = await ListAsync(query, userId);
        return (answer.Status, answer.Json.GetProperty("code").GetString());
    }

    private async Task<Answer> ListAsync(string query, UserId? userId = null, bool isFresh = false)
    {
        var cursors = isFresh
            ? new ChangeCursors(_scene.Vault.CreateClient(), _scene.Clock, NullLogger<ChangeCursors>.Instance)
            : _scene.Get<ChangeCursors>();
        var functions = ActivatorUtilities.CreateInstance<ChangeFunctions>(_scene.Services, cursors);
        var request = new DefaultHttpContext().Request;
        request.QueryString = new QueryString(query);
        return await Answer.OfAsync(await functions.ListChangesAsync(request, userId ?? UsersScene.Someone, default));
    }

    private async Task SyncAsync(string connection, string account, string[] transactions, UserId? userId = null)
    {
        userId ??= UsersScene.Someone;
        var syncId = $"s{++_syncs}";
        await _scene.Snapshots.Staging.StageAccountsAsync(userId, new(syncId), [Encoding.UTF8.GetBytes(account)], default);
        await using var segment = await _scene.Snapshots.Staging.BeginSegmentAsync(userId, new(syncId), new(IdOf(account)), 0, default);
        foreach (var transaction in transactions)
            segment.Append(Encoding.UTF8.GetBytes(transaction));
        var attempt = (await segment.CompleteAsync(default)).Attempt;
        await _scene.Snapshots.Publisher.PublishAsync(
            new SnapshotPublication(
                userId, new(syncId), _scene.Clock.GetUtcNow(), [new(connection)], new Dictionary<AccountId, IReadOnlyList<string>> { [new(IdOf(account))] = [attempt] }),
            default);
    }
}
