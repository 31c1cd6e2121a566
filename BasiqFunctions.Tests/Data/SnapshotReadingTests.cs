using System.Buffers;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class SnapshotReadingTests : IDisposable
{
    private static readonly UserId User = new("user-1");

    private readonly SnapshotScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Accounts_and_transactions_come_back_byte_for_byte()
    {
        const string account = """{ "id":"acc", "connection":"c1","institution":"AU00000","balance":"-0012.50","name":"caf\u00e9 & <b>","new":{"x":[1.50,null]} }""";
        string[] transactions =
        [
            """{"id":"1","status":"posted","postDate":"2024-01-02T00:00:00Z","description":"a\nb \u0026 €","amount":"1.0","later":{"status":"pending"}}""",
            """{ "id" : "2" , "status":"pending", "postDate":null, "transactionDate":"2024-01-03" }""",
        ];
        var staged = await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Utf8(account)], default);
        Assert.Equal(new StagedAccount(new("acc"), new("c1"), "AU00000"), Assert.Single(staged));
        var summary = await _scene.WriteSegmentAsync(User, "s1", "acc", 0, [transactions]);
        Assert.Equal((2, 1, new DateOnly(2024, 1, 2), new DateOnly(2024, 1, 3), 1), (summary.Count, summary.Pages, summary.MinDate, summary.MaxDate, summary.Pending));
        var result = await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");
        Assert.Equal(new PublishResult(PublishOutcome.Published, 1, 2) { HasNews = true, DataAsOf = _scene.Clock.GetUtcNow() }, result);

        var current = await _scene.Store.Reader.GetCurrentAsync(User, default);
        Assert.Equal("s1", current!.RunId);
        Assert.Equal(_scene.Clock.GetUtcNow(), current.FetchedAt);
        var read = Assert.Single(current.Accounts);
        Assert.Equal(account, SnapshotScene.Text(read.Raw));
        Assert.Equal(2, read.Transactions);
        Assert.Equal(transactions, await _scene.ReadAllAsync(User, "acc", new TransactionQuery()));
    }

    [Fact]
    public async Task A_transaction_with_line_breaks_becomes_one_line_and_keeps_its_values()
    {
        const string pretty = "{\r\n  \"id\": \"1\",\n\t\"description\": \"two  words \\\" { \\n \\\\\",\n  \"status\": \"posted\"\n}";
        await _scene.StageAsync(User, "s1", ("acc", "c1", [pretty, pretty]));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");

        var read = await _scene.ReadAllAsync(User, "acc", new TransactionQuery());

        Assert.Equal(2, read.Length);
        Assert.Equal("""{"id":"1","description":"two  words \" { \n \\","status":"posted"}""", read[0]);
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(pretty), JsonElement.Parse(read[1])));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}{}")]
    [InlineData("{\"a\":}")]
    public async Task What_is_not_one_JSON_object_is_no_transaction(string text)
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("acc", "c1")], default);
        await using var writer = await _scene.Store.Staging.BeginSegmentAsync(User, new("s1"), new("acc"), 0, default);
        writer.Append("{\"id\":\"before\"}"u8);
        Assert.ThrowsAny<JsonException>(() => writer.Append(SnapshotScene.Utf8(text).Span));
        writer.Append(Split("{\"id\":\"after\"}"));
        Assert.Equal(2, (await _scene.CompleteAsync(writer, "s1", "acc", 0)).Count);
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");
        Assert.Equal(["{\"id\":\"before\"}", "{\"id\":\"after\"}"], await _scene.ReadAllAsync(User, "acc", new TransactionQuery()));
    }

    [Theory]
    [InlineData("{\"connection\":\"c1\"}")]
    [InlineData("{\"id\":\"a/b\",\"connection\":\"c1\"}")]
    [InlineData("{\"id\":\"a\",\"connection\":7}")]
    [InlineData("[]")]
    [InlineData("{\"id\":\"a\",\"connection\":\"c1\"")]
    public async Task An_account_without_usable_ids_is_refused(string account) =>
        await Assert.ThrowsAnyAsync<JsonException>(() => _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Utf8(account)], default));

    [Fact]
    public async Task Fifty_thousand_transactions_are_read_by_cursor_each_once_and_in_order()
    {
        var all = await PublishManyAsync(50_000);

        Assert.Equal(all, await _scene.ReadAllAsync(User, "acc", new TransactionQuery(Limit: 500)));
        Assert.Equal(all, await _scene.ReadAllAsync(User, "acc", new TransactionQuery(Limit: 499)));
    }

    [Fact]
    public async Task Reading_on_by_cursor_or_date_does_not_read_what_lies_before()
    {
        var all = await PublishManyAsync(50_000);
        var query = new TransactionQuery(Limit: 500);
        Cursor? cursor = null;
        for (var i = 0; i < 90; i++)
            cursor = ((TransactionsResult.Page)await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query with { Cursor = cursor }, default)).NextCursor;

        var before = _scene.Storage.BytesRead;
        var page = (TransactionsResult.Page)await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query with { Cursor = cursor }, default);
        var spent = _scene.Storage.BytesRead - before;
        Assert.Equal(all[45_000], SnapshotScene.Text(page.Transactions[0]));
        Assert.InRange(spent, 1, 2 * 500 * 200);

        before = _scene.Storage.BytesRead;
        var day = new DateOnly(2020, 1, 1).AddDays(1_333);
        var found = await _scene.ReadAllAsync(User, "acc", new TransactionQuery(day, day, Limit: 500));
        Assert.Equal(all.Where((_, i) => i / 20 == 1_333), found);
        Assert.InRange(_scene.Storage.BytesRead - before, 1, 2 * 500 * 200);
    }

    [Fact]
    public async Task Dates_are_inclusive_and_a_pending_transaction_counts_by_its_transaction_date()
    {
        string[] transactions =
        [
            """{"id":"a","status":"posted","postDate":"2024-01-31T12:59:59Z","transactionDate":"2024-02-10T00:00:00Z"}""",
            """{"id":"b","status":"posted","postDate":"2024-02-01T00:00:00Z"}""",
            """{"id":"c","status":"pending","postDate":null,"transactionDate":"2024-02-15T10:00:00+11:00"}""",
            """{"id":"d","status":"pending","postDate":"","transactionDate":"2024-02-29"}""",
            """{"id":"e","status":"pending","postDate":null,"transactionDate":null}""",
            """{"id":"f","status":"posted","postDate":"2024-03-01T00:00:00Z"}""",
            """{"id":"g","status":"held","postDate":"2024-02-30"}""",
        ];
        await _scene.StageAsync(User, "s1", ("acc", "c1", transactions));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1 }, "c1");

        Assert.Equal("bcd", await IdsAsync(new TransactionQuery(new DateOnly(2024, 2, 1), new DateOnly(2024, 2, 29))));
        Assert.Equal("bcdf", await IdsAsync(new TransactionQuery(From: new DateOnly(2024, 2, 1))));
        Assert.Equal("abcd", await IdsAsync(new TransactionQuery(To: new DateOnly(2024, 2, 29))));
        Assert.Equal("cd", await IdsAsync(new TransactionQuery(From: new DateOnly(2024, 2, 1), Status: TransactionStatus.Pending)));
        Assert.Equal("cde", await IdsAsync(new TransactionQuery(Status: TransactionStatus.Pending)));
        Assert.Equal("abf", await IdsAsync(new TransactionQuery(Status: TransactionStatus.Posted, Limit: 1)));
        Assert.Equal("abcdefg", await IdsAsync(new TransactionQuery(Limit: 2)));
        Assert.Equal("", await IdsAsync(new TransactionQuery(From: new DateOnly(2024, 3, 2))));
    }

    [Fact]
    public async Task A_cursor_opens_only_what_it_was_made_for()
    {
        await _scene.StageAsync(User, "s1", ("acc", "c1", ["{\"id\":\"1\"}", "{\"id\":\"2\"}"]), ("other", "c1", ["{\"id\":\"1\"}", "{\"id\":\"2\"}"]));
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1, ["other"] = 1 }, "c1");
        var query = new TransactionQuery(Limit: 1);
        var cursor = Assert.IsType<TransactionsResult.Page>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query, default)).NextCursor!;

        Assert.IsType<TransactionsResult.Page>(await Read("acc", query with { Cursor = cursor, Limit = 7 }));
        Assert.IsType<TransactionsResult.InvalidCursor>(await Read("other", query with { Cursor = cursor }));
        Assert.IsType<TransactionsResult.InvalidCursor>(await Read("acc", query with { Cursor = cursor, From = new DateOnly(2020, 1, 1) }));
        Assert.IsType<TransactionsResult.InvalidCursor>(await Read("acc", query with { Cursor = cursor, Status = TransactionStatus.Posted }));
        var text = cursor.Value;
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text.ToCharArray();
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            Assert.IsType<TransactionsResult.InvalidCursor>(await Read("acc", query with { Cursor = new(new string(changed)) }));
        }
        foreach (var other in new[] { "", "x", text + "A", text[..^1], new string('é', text.Length), new string('=', text.Length) })
            Assert.IsType<TransactionsResult.InvalidCursor>(await Read("acc", query with { Cursor = new(other) }));

        Task<TransactionsResult> Read(string accountId, TransactionQuery q) => _scene.Store.Reader.ReadTransactionsAsync(User, new(accountId), q, default);
    }

    [Fact]
    public async Task A_cursor_expires_when_the_accounts_snapshot_is_replaced_and_survives_another_banks()
    {
        var segments = await _scene.StageAsync(User, "s1", ("acc", "c1", ["{\"id\":\"1\"}", "{\"id\":\"2\"}"]));
        await _scene.PublishAsync(User, "s1", segments, "c1");
        var query = new TransactionQuery(Limit: 1);
        var cursor = Assert.IsType<TransactionsResult.Page>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query, default)).NextCursor;

        await _scene.SyncAsync(User, "s2", "acc2", "c2");
        var page = Assert.IsType<TransactionsResult.Page>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query with { Cursor = cursor }, default));
        Assert.Equal("{\"id\":\"2\"}", SnapshotScene.Text(Assert.Single(page.Transactions)));

        await _scene.SyncAsync(User, "s3", "acc", "c1");
        Assert.IsType<TransactionsResult.CursorExpired>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query with { Cursor = cursor }, default));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_is_overtaken_by_a_publication_gets_the_new_snapshot_or_is_told(bool withCursor)
    {
        var segments = await _scene.StageAsync(User, "s1", ("acc", "c1", ["{\"id\":\"1\"}", "{\"id\":\"2\"}"]));
        await _scene.PublishAsync(User, "s1", segments, "c1");
        var query = new TransactionQuery(Limit: 1);
        if (withCursor)
            query = query with { Cursor = ((TransactionsResult.Page)await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query, default)).NextCursor };
        _scene.Storage.After = async (step, name) =>
        {
            if (step != "read")
                return;
            _scene.Storage.After = null;
            await _scene.SyncAsync(User, "s2", "acc", "c1");
        };

        var result = await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), query, default);

        if (withCursor)
            Assert.IsType<TransactionsResult.CursorExpired>(result);
        else
            Assert.Equal(SnapshotScene.Posted(1, new DateOnly(2024, 6, 1)), SnapshotScene.Text(Assert.Single(Assert.IsType<TransactionsResult.Page>(result).Transactions)));
    }

    [Theory]
    [InlineData("Australia/Sydney", true)]
    [InlineData("Etc/UTC", true)]
    [InlineData("Etc/UTC", false)]
    [InlineData("Pacific/Kiritimati", true)]
    [InlineData("America/Adak", true)]
    public async Task A_snapshot_whose_days_were_counted_otherwise_is_read_by_the_days_of_now(string timeZone, bool isNamed)
    {
        // A segment each, so that what the manifest says of a segment's days decides whether it is looked into.
        string[] times = ["2026-06-30T13:59:59Z", "2026-06-30T14:00:00Z", "2026-07-01T00:00:00Z", "2026-07-01T14:00:00Z"];
        var earlier = SnapshotParts.Over(_scene.Storage, _scene.Clock, new SnapshotOptions { TimeZone = timeZone });
        await earlier.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("acc", "c1")], default);
        List<string> attempts = [];
        foreach (var time in times)
        {
            await using var writer = await earlier.Staging.BeginSegmentAsync(User, new("s1"), new("acc"), attempts.Count, default);
            writer.Append(SnapshotScene.Utf8($$"""{"id":"{{attempts.Count}}","postDate":"{{time}}"}""").Span);
            attempts.Add((await writer.CompleteAsync(default)).Attempt);
        }

        await earlier.Publisher.PublishAsync(
            new SnapshotPublication(User, new("s1"), _scene.Clock.GetUtcNow(), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>> { [new("acc")] = attempts }), default);
        if (!isNamed)
        {
            // As versions wrote it that took each day as it was written, which for these times is the day of UTC, and without a checksum.
            var manifest = Path.Combine(_scene.Folder, "user-1/current.json");
            var text = await File.ReadAllTextAsync(manifest);
            Assert.Contains("\"timeZone\":\"Etc/UTC\"", text, StringComparison.Ordinal);
            using var document = JsonDocument.Parse(text);
            await File.WriteAllTextAsync(
                manifest,
                document.RootElement.GetProperty("content").GetRawText().Replace(",\"timeZone\":\"Etc/UTC\"", "", StringComparison.Ordinal));
        }

        Assert.Equal("0", await IdsAsync(new TransactionQuery(To: new DateOnly(2026, 6, 30))));
        Assert.Equal("12", await IdsAsync(new TransactionQuery(new DateOnly(2026, 7, 1), new DateOnly(2026, 7, 1))));
        Assert.Equal("123", await IdsAsync(new TransactionQuery(From: new DateOnly(2026, 7, 1))));
        Assert.Equal("3", await IdsAsync(new TransactionQuery(From: new DateOnly(2026, 7, 2), Limit: 1)));
        Assert.Equal("0123", await IdsAsync(new TransactionQuery(Limit: 1)));
    }

    [Fact]
    public async Task A_user_without_snapshot_and_an_unknown_account_are_told_apart()
    {
        Assert.Null(await _scene.Store.Reader.GetCurrentAsync(User, default));
        Assert.IsType<TransactionsResult.NoSnapshot>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), new TransactionQuery(), default));
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("acc", "c1")], default);
        Assert.Null(await _scene.Store.Reader.GetCurrentAsync(User, default));
        await _scene.PublishAsync(User, "s1", [], "c1");

        Assert.Null(Assert.Single((await _scene.Store.Reader.GetCurrentAsync(User, default))!.Accounts).Transactions);
        Assert.IsType<TransactionsResult.NoSnapshot>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), new TransactionQuery(), default));
        Assert.IsType<TransactionsResult.AccountNotFound>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc2"), new TransactionQuery(), default));
    }

    [Fact]
    public async Task An_account_without_transactions_reads_as_an_empty_page()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("acc", "c1"), SnapshotScene.Account("acc2", "c1")], default);
        await _scene.WriteSegmentAsync(User, "s1", "acc", 0, []);
        await _scene.PublishAsync(User, "s1", new() { ["acc"] = 1, ["acc2"] = 0 }, "c1");

        Assert.Empty(await _scene.ReadAllAsync(User, "acc", new TransactionQuery()));
        Assert.Empty(await _scene.ReadAllAsync(User, "acc2", new TransactionQuery(From: new DateOnly(2020, 1, 1))));
    }

    [Fact]
    public async Task What_an_earlier_version_stored_is_read_and_gives_way_to_what_is_fetched_next()
    {
        var lines = Enumerable.Range(1, 3).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 6, i))).ToArray();
        var data = Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        var index = Encoding.UTF8.GetBytes($$"""{"pages":[[0,{{data.Length}},{{Crc32C.Compute(data)}},3,20240601,20240603,0,3,0]],"timeZone":"Australia/Sydney"}""" + "\n");
        var trailer = Encoding.UTF8.GetBytes($$"""{"v":"1","index":"{{index.Length:D10}}","crc":"{{Crc32C.Compute(index):x8}}"}""".PadRight(47) + "\n");
        var folder = Directory.CreateDirectory(Path.Combine(_scene.Folder, "user-1", "syncs", "s0", "acc")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, "000000-0a1b2c3d.ndjson"), [.. data, .. index, .. trailer]);
        await File.WriteAllTextAsync(
            Path.Combine(_scene.Folder, "user-1", "current.json"),
            $$"""{"version":1,"syncId":"s0","fetchedAt":"2024-06-04T00:00:00+00:00","connections":[{"connectionId":"c1","syncId":"s0","startedAt":"2024-06-04T00:00:00+00:00"}],"accounts":[{"accountId":"acc","connectionId":"c1","institutionId":"AU00000","syncId":"s0","fetchedAt":"2024-06-04T00:00:00+00:00","transactions":{"syncId":"s0","fetchedAt":"2024-06-04T00:00:00+00:00","count":3,"segments":[{"attempt":"0a1b2c3d","extent":{"count":3,"minDay":20240601,"maxDay":20240603,"pending":0,"posted":3,"undated":0},"pages":1,"length":{{data.Length + index.Length + trailer.Length}},"indexLength":{{index.Length}},"indexCrc":{{Crc32C.Compute(index)}},"timeZone":"Australia/Sydney"}]},"raw":{"id":"acc","connection":"c1"},"missingSince":null}],"removedConnections":[],"settledSyncs":["s0"]}""");

        Assert.Equal(lines, await _scene.ReadAllAsync(User, "acc", new TransactionQuery(Limit: 2)));
        Assert.Equal(lines[1..2], await _scene.ReadAllAsync(User, "acc", new TransactionQuery(From: new DateOnly(2024, 6, 2), To: new DateOnly(2024, 6, 2))));
        var plan = await _scene.Store.Staging.PlanAsync(User, new("s1"), [(new("acc"), SnapshotScene.Account("acc", "c1"))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), IsFull: false), default);
        Assert.Null(Assert.Single(plan).Kept);

        // Another bank's sync carries it over; its own replaces it, and the file goes.
        await _scene.SyncAsync(User, "s1", "other", "c2");
        Assert.Equal(lines, await _scene.ReadAllAsync(User, "acc", new TransactionQuery()));
        await _scene.SyncAsync(User, "s2", "acc", "c1");
        Assert.Single(await _scene.ReadAllAsync(User, "acc", new TransactionQuery()));
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("flip-data")]
    [InlineData("flip-index")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("gone")]
    public async Task A_damaged_segment_is_an_error_and_never_half_an_answer(string damage)
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var path = Directory.EnumerateFiles(_scene.Folder, "*.pages", SearchOption.AllDirectories).Single();
        Damage(path, damage);

        var thrown = await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), new TransactionQuery(), default));

        Assert.Equal("user-1/syncs/s1/acc/000000.pages", SnapshotScene.WithoutAttempt(thrown.BlobName));
        Assert.DoesNotContain("amount", thrown.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flip-index")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("gone")]
    public async Task A_damaged_segment_is_not_published(string damage)
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var segments = await _scene.StageAsync(User, "s2", ("acc", "c1", ["{\"id\":\"1\"}"]));
        Damage(_scene.SegmentPath(User, "s2", "acc", 0), damage);

        await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.PublishAsync(User, "s2", segments, "c1"));

        Assert.Equal(["acc@s1"], await _scene.AccountIdsAsync(User));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("empty")]
    public async Task A_damaged_manifest_is_an_error_that_quotes_nothing(string damage)
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        Damage(Path.Combine(_scene.Folder, "user-1/current.json"), damage);

        var thrown = await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.Store.Reader.GetCurrentAsync(User, default));
        Assert.Equal("user-1/current.json", thrown.BlobName);
        Assert.DoesNotContain("balance", thrown.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), new TransactionQuery(), default));
    }

    [Fact]
    public async Task A_damaged_manifest_is_mended_by_the_next_sync_and_nothing_goes_before()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        Damage(Path.Combine(_scene.Folder, "user-1/current.json"), "cut");
        await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.Store.Removal.RemoveLeftoversAsync(User, default));

        await _scene.SyncAsync(User, "s2", "acc", "c1");

        Assert.Equal(["acc@s2"], await _scene.AccountIdsAsync(User));
        Assert.IsType<TransactionsResult.Page>(await _scene.Store.Reader.ReadTransactionsAsync(User, new("acc"), new TransactionQuery(), default));
    }

    [Theory]
    [InlineData("\"version\":2", "\"version\":3")]
    [InlineData("\"accounts\":[", "\"accounts\":[{}],\"before\":[")]
    public async Task A_manifest_of_a_later_version_is_no_damage_and_no_sync_takes_its_place(string known, string later)
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var path = Path.Combine(_scene.Folder, "user-1/current.json");
        using (var written = JsonDocument.Parse(await File.ReadAllBytesAsync(path)))
        {
            var content = written.RootElement.GetProperty("content").GetRawText().Replace(known, later, StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, $$"""{"crc32c":"{{Crc32C.Compute(Encoding.UTF8.GetBytes(content)):x8}}","content":{{content}}}""");
        }

        var before = await File.ReadAllBytesAsync(path);
        await Assert.ThrowsAsync<SnapshotFromLaterVersionException>(() => _scene.Store.Reader.GetCurrentAsync(User, default));
        await Assert.ThrowsAsync<SnapshotFromLaterVersionException>(() => _scene.SyncAsync(User, "s2", "acc", "c1"));
        await Assert.ThrowsAsync<SnapshotFromLaterVersionException>(() => _scene.Store.Removal.RemoveLeftoversAsync(User, default));

        Assert.Equal(before, await File.ReadAllBytesAsync(path));
        Assert.Contains(_scene.Files, file => file.StartsWith("user-1/syncs/s1/acc/", StringComparison.Ordinal));
        Assert.True(await _scene.Store.Removal.RemoveUserAsync(User, default));
    }

    [Fact]
    public async Task A_manifest_is_parsed_again_only_once_it_has_changed()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var first = await _scene.Store.Manifests.ReadAsync(User, default);
        Assert.Same(first, await _scene.Store.Manifests.ReadAsync(User, default));

        await _scene.SyncAsync(User, "s2", "acc", "c1");
        Assert.Equal(new RunId("s2"), (await _scene.Store.Manifests.ReadAsync(User, default))!.Manifest.RunId);
        await _scene.Store.Removal.RemoveUserAsync(User, default);
        Assert.Null(await _scene.Store.Manifests.ReadAsync(User, default));
    }

    [Fact]
    public async Task Each_bit_of_a_manifest_that_changes_is_noticed()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var path = Path.Combine(_scene.Folder, "user-1/current.json");
        var sound = await File.ReadAllBytesAsync(path);
        for (var bit = 0; bit < sound.Length * 8; bit++)
        {
            var damaged = (byte[])sound.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            await File.WriteAllBytesAsync(path, damaged);
            await Assert.ThrowsAsync<SnapshotCorruptException>(() => _scene.Store.Reader.GetCurrentAsync(User, default));
        }
    }

    [Fact]
    public async Task A_manifest_from_before_there_were_checksums_is_read_and_has_one_from_the_next_sync_on()
    {
        await _scene.SyncAsync(User, "s1", "acc", "c1");
        var path = Path.Combine(_scene.Folder, "user-1/current.json");
        using (var written = JsonDocument.Parse(await File.ReadAllBytesAsync(path)))
            await File.WriteAllTextAsync(path, written.RootElement.GetProperty("content").GetRawText());

        Assert.Equal(["acc@s1"], await _scene.AccountIdsAsync(User));

        await _scene.SyncAsync(User, "s2", "acc", "c1");
        Assert.StartsWith("{\"crc32c\":", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("é")]
    public async Task An_id_that_is_none_never_becomes_a_path(string id)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _scene.Store.Reader.GetCurrentAsync(new(id), default));
        await Assert.ThrowsAsync<ArgumentException>(() => _scene.Store.Removal.RemoveUserAsync(new(id), default));
        await Assert.ThrowsAsync<ArgumentException>(() => _scene.Store.Removal.DiscardAsync(User, new(id), default));
        await Assert.ThrowsAsync<ArgumentException>(() => _scene.Store.Staging.BeginSegmentAsync(User, new("s1"), new(id), 0, default));
    }

    private static void Damage(string path, string how)
    {
        if (how == "gone")
        {
            File.Delete(path);
            return;
        }
        var bytes = File.ReadAllBytes(path);
        if (how == "flip-data")
            bytes[30] ^= 1;
        else if (how == "flip-index")
            bytes[^60] ^= 1;
        File.WriteAllBytes(path, how == "cut" ? bytes[..^100] : how == "empty" ? [] : bytes);
    }

    private static ReadOnlySequence<byte> Split(string text)
    {
        var first = new Part(SnapshotScene.Utf8(text[..5]), null);
        var last = new Part(SnapshotScene.Utf8(text[5..]), first);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private async Task<string> IdsAsync(TransactionQuery query) =>
        string.Concat((await _scene.ReadAllAsync(User, "acc", query)).Select(t => JsonElement.Parse(t).GetProperty("id").GetString()));

    private async Task<string[]> PublishManyAsync(int count)
    {
        var all = new string[count];
        for (var i = 0; i < count; i++)
            all[i] = SnapshotScene.Posted(i, new DateOnly(2020, 1, 1).AddDays(i / 20));
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("acc", "c1")], default);
        var segments = 0;
        foreach (var segment in all.Chunk(20 * 500))
            await _scene.WriteSegmentAsync(User, "s1", "acc", segments++, segment.Chunk(500));
        var result = await _scene.PublishAsync(User, "s1", new() { ["acc"] = segments }, "c1");
        Assert.Equal(new PublishResult(PublishOutcome.Published, 1, count) { HasNews = true, DataAsOf = _scene.Clock.GetUtcNow() }, result);
        return all;
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, Part? before)
        {
            Memory = memory;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
