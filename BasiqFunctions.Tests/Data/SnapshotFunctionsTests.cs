using System.IO.Compression;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Removal;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class SnapshotFunctionsTests : IDisposable
{
    private static readonly UserId User = new("user-1");

    private readonly SnapshotScene _scene = new();
    private readonly ServiceProvider _instruments = new ServiceCollection().AddInstruments().BuildServiceProvider();

    public void Dispose()
    {
        _scene.Dispose();
        _instruments.Dispose();
    }

    [Fact]
    public async Task Accounts_are_answered_as_Basiq_sent_them()
    {
        const string account = """{ "id":"acc", "connection":"c1", "balance":"-1.50", "name":"caf\u00e9 & co" }""";
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Utf8(account), SnapshotScene.Account("b", "c1")], default);
        await _scene.PublishAsync(User, "s1", [], "c1");

        var answer = await AccountsAsync(User);

        Assert.Equal((200, "application/json; charset=utf-8"), (answer.Status, answer.ContentType));
        Assert.Equal("no-store", answer.Headers.CacheControl);
        Assert.Equal("nosniff", answer.Headers.XContentTypeOptions);
        Assert.StartsWith("""{"syncId":"s1","fetchedAt":"2024-07-01T00:00:00+00:00","accounts":[""" + account + ",", answer.Body, StringComparison.Ordinal);
        Assert.Equal(2, answer.Json.GetProperty("accounts").GetArrayLength());
    }

    [Fact]
    public async Task Transactions_of_all_accounts_are_answered_in_one_order_the_latest_first()
    {
        // Stored in another order than they are read in, and two of one day and id in two accounts.
        var one = Enumerable.Range(0, 300).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 1, 1).AddDays(i % 150))).ToArray();
        var two = Enumerable.Range(250, 100).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 1, 1).AddDays(i % 150))).ToArray();
        await _scene.StageAsync(User, "s1", ("a1", "c1", one), ("a2", "c2", two));
        await _scene.PublishAsync(User, "s1", new() { ["a1"] = 1, ["a2"] = 1 }, "c1", "c2");
        var expected = one.Select(json => (Account: "a1", Json: json)).Concat(two.Select(json => (Account: "a2", Json: json)))
            .OrderByDescending(t => t.Json.Split("postDate")[1], StringComparer.Ordinal).ThenBy(t => JsonElement.Parse(t.Json).GetProperty("id").GetString(), StringComparer.Ordinal).ThenBy(t => t.Account, StringComparer.Ordinal)
            .Select(t => t.Json).ToArray();

        foreach (var limit in new[] { 1, 7, 500 })
        {
            List<string> read = [];
            string? cursor = null;
            do
            {
                var page = await MergedAsync($"?limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}");
                Assert.Equal(200, page.Status);
                read.AddRange(page.Json.GetProperty("transactions").EnumerateArray().Select(t => t.GetRawText()));
                cursor = page.Json.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
            }
            while (cursor is not null && read.Count < 60);
            Assert.Equal(expected[..read.Count], read);
            Assert.Equal(limit == 500, cursor is null);
        }

        var some = await MergedAsync("?from=2024-02-01&to=2024-02-02&limit=500");
        Assert.Equal(
            expected.Where(t => t.Contains("2024-02-01", StringComparison.Ordinal) || t.Contains("2024-02-02", StringComparison.Ordinal)),
            some.Json.GetProperty("transactions").EnumerateArray().Select(t => t.GetRawText()));
        Assert.Equal(100, (await MergedAsync("?connectionId=c2&limit=500")).Json.GetProperty("transactions").GetArrayLength());
        Assert.Equal(300, (await MergedAsync("?accountId=a1&limit=500")).Json.GetProperty("transactions").GetArrayLength());
        Assert.Equal("account-not-found", (await MergedAsync("?accountId=a1&connectionId=c2")).Json.GetProperty("code").GetString());
        Assert.Equal("connection-not-found", (await MergedAsync("?connectionId=c3")).Json.GetProperty("code").GetString());
        Assert.Equal(400, (await MergedAsync("?accountId=a/1")).Status);
        Assert.Equal("no-snapshot", (await MergedAsync("", new("user-2"))).Json.GetProperty("code").GetString());

        // The same rules of cursors: of this list alone, and of this snapshot.
        var first = (await MergedAsync("?limit=1")).Json.GetProperty("nextCursor").GetString();
        Assert.Equal(400, (await MergedAsync($"?limit=1&accountId=a1&cursor={first}")).Status);
        Assert.Equal(400, (await MergedAsync($"?limit=1&cursor={first![..^2]}AA")).Status);
        await _scene.SyncAsync(User, "s2", "a2", "c2");
        Assert.Equal("snapshot-changed", (await MergedAsync($"?limit=1&cursor={first}")).Json.GetProperty("code").GetString());
        Assert.Equal(301, (await MergedAsync("?limit=500")).Json.GetProperty("transactions").GetArrayLength());
    }

    [Fact]
    public async Task Whoever_has_the_answer_is_told_so_until_it_changes()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        foreach (var ask in (Func<string?, Task<Answer>>[])
        [
            async tag => await Answer.OfAsync(await Functions().ListAccountsAsync(Conditional("", tag), User, default)),
            async tag => await Answer.OfAsync(await Functions().ListTransactionsAsync(Conditional("?limit=1", tag), User, "acc", default)),
            async tag => await Answer.OfAsync(await Functions().ListUserTransactionsAsync(Conditional("?limit=1", tag), User, default)),
        ])
        {
            var first = await ask(null);
            var tag = first.Headers.ETag.ToString();
            Assert.StartsWith("W/\"", tag, StringComparison.Ordinal);
            var read = _scene.Storage.BytesRead;
            foreach (var known in new[] { tag, $"\"other\", {tag}" })
            {
                var again = await ask(known);
                Assert.Equal((304, "", tag), (again.Status, again.Body, again.Headers.ETag.ToString()));
            }

            Assert.Equal(read, _scene.Storage.BytesRead);
            Assert.Equal(304, (await ask("*")).Status);
            Assert.Equal(200, (await ask("\"other\"")).Status);
            _scene.Clock.Advance(TimeSpan.FromSeconds(1));
            await _scene.SyncAsync(User, $"s-{_scene.Clock.GetUtcNow().UtcTicks}", "acc", "c1");
            var later = await ask(tag);
            Assert.Equal(200, later.Status);
            Assert.NotEqual(tag, later.Headers.ETag.ToString());
        }
    }

    [Fact]
    public async Task A_forged_cursor_is_refused_whatever_the_caller_says_it_has()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        foreach (var tag in new[] { "*", "\"other\"" })
        {
            Assert.Equal(400, (await Answer.OfAsync(await Functions().ListTransactionsAsync(Conditional("?cursor=forged", tag), User, "acc", default))).Status);
            Assert.Equal(400, (await Answer.OfAsync(await Functions().ListUserTransactionsAsync(Conditional("?cursor=forged", tag), User, default))).Status);
        }
    }

    [Theory]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0.1, gzip", "gzip")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, gzip;q=0", null)]
    [InlineData("identity, br;q=0.5", null)]
    [InlineData("deflate", null)]
    [InlineData("", null)]
    public async Task Answers_are_compressed_for_callers_that_accept_it(string accepts, string? coding)
    {
        var all = Enumerable.Range(0, 500).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 1, 1))).ToArray();
        await _scene.StageAsync(User, "s1", ("acc", "c1", all));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");
        var plain = await TransactionsAsync("?limit=500");

        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider() };
        context.Request.QueryString = new QueryString("?limit=500");
        context.Request.Headers.AcceptEncoding = accepts;
        using var written = new MemoryStream();
        context.Response.Body = written;
        await (await Functions().ListTransactionsAsync(context.Request, User, "acc", default)).ExecuteAsync(context);
        await context.Response.CompleteAsync();

        Assert.Equal(coding ?? "", context.Response.Headers.ContentEncoding.ToString());
        Assert.Equal("Accept-Encoding", context.Response.Headers.Vary);
        written.Position = 0;
        using Stream body = coding switch
        {
            "br" => new BrotliStream(written, CompressionMode.Decompress),
            "gzip" => new GZipStream(written, CompressionMode.Decompress),
            _ => written,
        };
        Assert.Equal(plain.Body, await new StreamReader(body).ReadToEndAsync());
        Assert.Equal(coding is not null, written.Length * 5 < plain.Body.Length);
    }

    [Fact]
    public async Task Transactions_are_answered_page_by_page()
    {
        var all = Enumerable.Range(0, 250).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 1, 1).AddDays(i))).ToArray();
        await _scene.StageAsync(User, "s1", ("acc", "c1", all));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");

        var first = await TransactionsAsync("?code=function-key");
        Assert.Equal(200, first.Status);
        Assert.Equal("no-store", first.Headers.CacheControl);
        Assert.Equal(all[..100], first.Json.GetProperty("transactions").EnumerateArray().Select(t => t.GetRawText()));
        var second = await TransactionsAsync($"?limit=500&cursor={first.Json.GetProperty("nextCursor").GetString()}");
        Assert.Equal(all[100..], second.Json.GetProperty("transactions").EnumerateArray().Select(t => t.GetRawText()));
        Assert.False(second.Json.TryGetProperty("nextCursor", out _));
        var some = await TransactionsAsync("?from=2024-01-02&to=2024-01-03&status=posted&limit=2");
        Assert.Equal($$"""{"transactions":[{{all[1]}},{{all[2]}}],"fullAsOf":"2024-07-01T00:00:00+00:00"}""", some.Body);
        Assert.Equal("""{"transactions":[],"fullAsOf":"2024-07-01T00:00:00+00:00"}""", (await TransactionsAsync("?status=pending")).Body);
    }

    [Theory]
    [InlineData("?from=2024-6-1", "from")]
    [InlineData("?from=2024-02-30", "from")]
    [InlineData("?from=", "from")]
    [InlineData("?to=01/02/2024", "to")]
    [InlineData("?to=2024-01-01T00:00:00Z", "to")]
    [InlineData("?from=2024-01-02&to=2024-01-01", "from")]
    [InlineData("?status=Posted", "status")]
    [InlineData("?status=", "status")]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=501", "limit")]
    [InlineData("?limit=+5", "limit")]
    [InlineData("?limit=1.0", "limit")]
    [InlineData("?limit=99999999999", "limit")]
    [InlineData("?cursor=nonsense", "cursor")]
    [InlineData("?cursor=", "cursor")]
    [InlineData("?limit=1&limit=2", "limit")]
    [InlineData("?page=2", "page")]
    [InlineData("?From=2024-01-01", "From")]
    public async Task A_wrong_parameter_is_named(string query, string field)
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");

        var answer = await TransactionsAsync(query);

        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Code));
        Assert.Equal([field], answer.Fields);
    }

    [Fact]
    public async Task All_wrong_parameters_are_named_at_once()
    {
        var answer = await TransactionsAsync("?from=x&to=y&status=z&limit=w&other=v");
        Assert.Equal(["from", "limit", "other", "status", "to"], answer.Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var nothing = await TransactionsAsync("");
        Assert.Equal((404, "no-snapshot"), (nothing.Status, nothing.Code));
        var noAccounts = await AccountsAsync(User);
        Assert.Equal((404, "no-snapshot"), (noAccounts.Status, noAccounts.Code));

        await _scene.SyncAsync(User, "s1", "other", "c1");
        var noAccount = await TransactionsAsync("");
        Assert.Equal((404, "account-not-found"), (noAccount.Status, noAccount.Code));
    }

    [Theory]
    [InlineData(DeletionReason.ConsentRevoked, null, "consent-ended")]
    [InlineData(DeletionReason.ConsentExpired, null, "consent-ended")]
    [InlineData(DeletionReason.UserDeleted, null, "no-snapshot")]
    [InlineData(DeletionReason.Retention, null, "no-snapshot")]
    [InlineData(DeletionReason.ConsentRevoked, "c1", "no-snapshot")]
    public async Task What_went_with_a_consent_says_so_until_something_new_is_published(DeletionReason reason, string? connectionId, string code)
    {
        await _scene.Receipts.AddAsync(
            new DeletionReceipt("r1", User, reason, null, connectionId is null ? null : new(connectionId), 1, 1, 1, 0, _scene.Clock.GetUtcNow(), _scene.Clock.GetUtcNow()), default);

        Assert.Equal((404, code), ((await AccountsAsync(User)).Status, (await AccountsAsync(User)).Code));
        Assert.Equal((404, code), ((await TransactionsAsync("")).Status, (await TransactionsAsync("")).Code));
        Assert.Equal("no-snapshot", (await AccountsAsync("user-2")).Code);

        await _scene.Store.Staging.StageAccountsAsync(User, new("s2"), [SnapshotScene.Account("acc", "c1")], default);
        await _scene.PublishAsync(User, "s2", [], "c1");
        Assert.Equal(200, (await AccountsAsync(User)).Status);
        Assert.Equal((404, "no-snapshot"), ((await TransactionsAsync("")).Status, (await TransactionsAsync("")).Code));
    }

    [Fact]
    public async Task A_cursor_of_a_replaced_snapshot_is_a_conflict()
    {
        await _scene.StageAsync(User, "s1", ("acc", "c1", ["{\"id\":\"1\"}", "{\"id\":\"2\"}"]));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");
        var cursor = (await TransactionsAsync("?limit=1")).Json.GetProperty("nextCursor").GetString();
        await _scene.SyncAsync(User, "s2", "acc", "c1");

        var answer = await TransactionsAsync($"?cursor={cursor}");

        Assert.Equal((409, "snapshot-changed"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task An_unknown_parameter_is_named() => Assert.Equal(["page"], (await AccountsAsync(User, "?page=1")).Fields);

    [Fact]
    public async Task Damage_is_an_error_of_ours_that_tells_nothing_of_the_inside()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        await File.WriteAllTextAsync(Path.Combine(_scene.Folder, "user-1/current.json"), "{");
        foreach (var answer in new[] { await AccountsAsync(User), await TransactionsAsync("") })
        {
            Assert.Equal((500, "snapshot-damaged"), (answer.Status, answer.Code));
            Assert.DoesNotContain("current.json", answer.Body, StringComparison.Ordinal);
        }
    }

    private static HttpRequest Request(string query)
    {
        var request = new DefaultHttpContext().Request;
        request.QueryString = new QueryString(query);
        return request;
    }

    private static HttpRequest Conditional(string query, string? tag)
    {
        var request = Request(query);
        if (tag is not null)
            request.Headers.IfNoneMatch = tag;
        return request;
    }

    private async Task<Answer> MergedAsync(string query, UserId? userId = null) =>
        await Answer.OfAsync(await Functions().ListUserTransactionsAsync(Request(query), userId ?? User, default));

    private SnapshotFunctions Functions() => new(
        _scene.Store.Reader, _scene.Store.Damage, _scene.Receipts, _instruments.GetRequiredService<Instruments>(), NullLogger<SnapshotFunctions>.Instance);

    private async Task<Answer> AccountsAsync(string userId, string query = "") =>
        await Answer.OfAsync(await Functions().ListAccountsAsync(Request(query), userId, default));

    private async Task<Answer> TransactionsAsync(string query, UserId? userId = null, string accountId = "acc") =>
        await Answer.OfAsync(await Functions().ListTransactionsAsync(Request(query), userId ?? User, accountId, default));
}
