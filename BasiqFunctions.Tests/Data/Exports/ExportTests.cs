using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Exports;
using BasiqFunctions.Tests.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using nietras.SeparatedValues;
using Parquet;
using static BasiqFunctions.Tests.Data.Changes.ChangeScene;

namespace BasiqFunctions.Tests.Data.Exports;

/// <summary>Exports as callers get them, in the app as a host composes it.</summary>
[Trait("Category", "Unit")]
public sealed class ExportTests : IDisposable
{
    private const string Header =
        "accountId,connectionId,institutionId,transactionId,status,postDate,transactionDate,amount,currency,balance,direction,class,subClassCode,subClass,description,reference,cleanDescription,merchant\r\n";

    private static readonly DateOnly Today = new(2024, 6, 1);

    private readonly UsersScene _scene;
    private InterceptedStorage? _storage;
    private int _syncs;

    public ExportTests() => _scene = new UsersScene(services => services.AddSingleton<ISnapshotStorage>(
        provider => _storage = new InterceptedStorage(new MemorySnapshotStorage((FakeTimeProvider)provider.GetRequiredService<TimeProvider>()))));

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Csv_is_as_RFC_4180_has_it_and_has_no_formulas()
    {
        await SyncAsync("c1", "a1", [
            """{"id":"t1","status":"posted","description":"Caf\u00e9 \"X\", Sydney","reference":"","amount":"-4.50","currency":"AUD","balance":"95.50","direction":"debit","class":"payment","subClass":{"code":"451","title":"Cafes"},"postDate":"2024-05-31T14:00:00Z","transactionDate":"2024-05-30T00:00:00Z","enrich":{"cleanDescription":"Café X","merchant":{"businessName":"X"}},"institution":"AU00000"}""",
            """{"id":"t2","status":"pending","description":"=HYPERLINK(\"http://x\")","reference":"+1","amount":"12","currency":"@SUM","balance":"-1+2","direction":"credit","class":"-","subClass":null,"postDate":"","transactionDate":"2024-06-01","enrich":null}""",
            """{"id":"t3","status":"posted","description":"two\r\nlines","amount":"=1","postDate":"2024-05-01T00:00:00Z","enrich":{"merchant":null,"cleanDescription":"\tTab"}}"""]);

        var answer = await ExportAsync(ExportFormat.Csv, "");

        Assert.Equal((200, "text/csv; charset=utf-8; header=present", "no-store"), (answer.Status, answer.ContentType, answer.Headers.CacheControl.ToString()));
        Assert.Equal("attachment; filename=\"transactions.csv\"", answer.Headers.ContentDisposition);
        Assert.Equal(
            Header
            + "a1,c1,AU00000,t1,posted,2024-06-01,2024-05-30,-4.50,AUD,95.50,debit,payment,451,Cafes,\"Café \"\"X\"\", Sydney\",,Café X,X\r\n"
            + "a1,c1,AU00000,t2,pending,,2024-06-01,12,'@SUM,'-1+2,credit,'-,,,\"'=HYPERLINK(\"\"http://x\"\")\",'+1,,\r\n"
            + "a1,c1,AU00000,t3,posted,2024-05-01,,'=1,,,,,,,\"two\r\nlines\",,'\tTab,\r\n",
            Encoding.UTF8.GetString(answer.Body));
    }

    [Fact]
    public async Task Parquet_has_decimals_and_days()
    {
        await SyncAsync("c1", "a1", [
            """{"id":"t1","status":"posted","description":"=Café","amount":"-4.50","currency":"AUD","balance":"9999999999999999999.123456789","postDate":"2024-05-31T14:00:00Z","transactionDate":"1969-12-31"}""",
            """{"id":"t2","status":"pending","amount":"1e3","balance":"0.0000000001","postDate":null,"transactionDate":"2024-06-01T00:00:00Z"}"""]);

        var answer = await ExportAsync(ExportFormat.Parquet, "");

        Assert.Equal((200, "application/vnd.apache.parquet"), (answer.Status, answer.ContentType));
        await using var file = await ParquetReader.CreateAsync(new MemoryStream(answer.Body));
        Assert.Equal(Header.TrimEnd().Split(','), file.Schema.DataFields.Select(field => field.Name));
        using var rows = file.OpenRowGroupReader(0);
        Assert.Equal([-4.50m, null], await ReadAsync<decimal>(file, rows, "amount"));
        Assert.Equal([9999999999999999999.123456789m, null], await ReadAsync<decimal>(file, rows, "balance"));
        Assert.Equal([new DateTime(2024, 6, 1), null], await ReadAsync<DateTime>(file, rows, "postDate"));
        Assert.Equal([new DateTime(1969, 12, 31), new DateTime(2024, 6, 1)], await ReadAsync<DateTime>(file, rows, "transactionDate"));
        var texts = new string?[2];
        await rows.ReadAsync(file.Schema.DataFields.Single(field => field.Name == "description"), texts.AsMemory());
        Assert.Equal(("=Café", null), (texts[0], texts[1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?from=2024-05-20&to=2024-05-31")]
    [InlineData("?from=2024-05-31")]
    [InlineData("?to=2024-05-20")]
    [InlineData("?status=pending")]
    [InlineData("?status=posted&accountId=a1")]
    [InlineData("?connectionId=c2&from=2024-05-20")]
    [InlineData("?from=2031-01-01")]
    public async Task Both_formats_have_what_the_list_has(string query)
    {
        await SyncAsync("c1", "a1", Some("x", 60), Some("y", 60));
        await SyncAsync("c2", "a2", Some("z", 30), [Pending("p1", Today)]);
        var listed = new HashSet<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var functions = ActivatorUtilities.CreateInstance<SnapshotFunctions>(_scene.Services);
            var request = new DefaultHttpContext().Request;
            request.QueryString = new QueryString($"?limit=50{query.Replace('?', '&')}{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}");
            var page = (await Answer.OfAsync(await functions.ListUserTransactionsAsync(request, UsersScene.Someone, default))).Json;
            listed.UnionWith(page.GetProperty("transactions").EnumerateArray().Select(transaction => transaction.GetProperty("id").GetString()!));
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }

        var csv = IdsOf((await ExportAsync(ExportFormat.Csv, query)).Body);
        Assert.Equal(listed.Order(StringComparer.Ordinal), csv.Order(StringComparer.Ordinal));
        await using var file = await ParquetReader.CreateAsync(new MemoryStream((await ExportAsync(ExportFormat.Parquet, query)).Body));
        Assert.Equal(csv, await IdsOfAsync(file));
    }

    [Fact]
    public async Task A_file_of_several_groups_of_rows_has_all_of_them_in_order()
    {
        await SyncAsync("c1", "a1", [.. Enumerable.Range(0, 20).Select(page => Some($"p{page}-", 1_000))]);

        await using var file = await ParquetReader.CreateAsync(new MemoryStream((await ExportAsync(ExportFormat.Parquet, "")).Body));

        Assert.Equal(3, file.RowGroupCount);
        Assert.Equal(Enumerable.Range(0, 20).SelectMany(page => Enumerable.Range(0, 1_000).Select(i => $"p{page}-{i}")), await IdsOfAsync(file));
    }

    [Theory]
    [InlineData("?from=2024-02-30", "from")]
    [InlineData("?from=2024-02-03&to=2024-02-02", "from")]
    [InlineData("?to=today", "to")]
    [InlineData("?status=all", "status")]
    [InlineData("?accountId=a/1", "accountId")]
    [InlineData("?connectionId=", "connectionId")]
    [InlineData("?limit=5", "limit")]
    [InlineData("?cursor=abc", "cursor")]
    [InlineData("?status=posted&status=posted", "status")]
    public async Task What_is_not_acceptable_is_named(string query, string field)
    {
        await SyncAsync("c1", "a1", Some("t", 1));
        foreach (var format in (ExportFormat[])[ExportFormat.Csv, ExportFormat.Parquet])
        {
            var answer = await ExportAsync(format, query);
            Assert.Equal((400, "invalid-input"), (answer.Status, answer.Json.GetProperty("code").GetString()));
            Assert.True(answer.Json.GetProperty("errors").TryGetProperty(field, out _), Encoding.UTF8.GetString(answer.Body));
        }
    }

    [Fact]
    public async Task What_there_is_nothing_of_is_told_as_the_list_tells_it()
    {
        Assert.Equal((404, "no-snapshot"), await ProblemAsync(""));
        await SyncAsync("c1", "a1", Some("t", 1));
        Assert.Equal((404, "account-not-found"), await ProblemAsync("?accountId=a2"));
        Assert.Equal((404, "connection-not-found"), await ProblemAsync("?connectionId=c2"));
        Assert.Equal(Header, Encoding.UTF8.GetString((await ExportAsync(ExportFormat.Csv, "?from=2031-01-01")).Body));
    }

    [Fact]
    public async Task Whoever_has_it_is_told_so()
    {
        await SyncAsync("c1", "a1", Some("t", 1));
        var tag = (await ExportAsync(ExportFormat.Csv, "")).Headers.ETag.ToString();
        Assert.Equal(304, (await ExportAsync(ExportFormat.Csv, "", tag)).Status);
        Assert.Equal(304, (await ExportAsync(ExportFormat.Csv, "", "*")).Status);
        Assert.Equal(200, (await ExportAsync(ExportFormat.Parquet, "", tag)).Status);
        Assert.Equal(200, (await ExportAsync(ExportFormat.Csv, "?status=posted", tag)).Status);
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        await SyncAsync("c1", "a1", Some("t", 2));
        Assert.Equal(200, (await ExportAsync(ExportFormat.Csv, "", tag)).Status);
        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Csv_is_compressed_for_who_accepts_it()
    {
        await SyncAsync("c1", "a1", Some("t", 500), Some("u", 500));
        var answer = await ExportAsync(ExportFormat.Csv, "", acceptEncoding: "gzip");
        Assert.Equal("gzip", answer.Headers.ContentEncoding);
        using var text = new MemoryStream();
        await new GZipStream(new MemoryStream(answer.Body), CompressionMode.Decompress).CopyToAsync(text);
        Assert.Equal((await ExportAsync(ExportFormat.Csv, "")).Body, text.ToArray());
        Assert.Equal(0, (await ExportAsync(ExportFormat.Parquet, "", acceptEncoding: "gzip")).Headers.ContentEncoding.Count);
    }

    [Fact]
    public async Task What_is_read_stays_until_it_has_been_read()
    {
        await SyncAsync("c1", "a1", Some("x", 500), Some("y", 500));
        var whole = (await ExportAsync(ExportFormat.Csv, "")).Body;

        var answer = await ExportAsync(ExportFormat.Csv, "", whileReading: async () =>
        {
            await SyncAsync("c1", "a1", Some("z", 3));
            _scene.Clock.Advance(TimeSpan.FromMinutes(5));
            await _scene.Snapshots.Removal.RemoveLeftoversAsync(UsersScene.Someone, default);
            Assert.Single(await NotesAsync());
        });

        Assert.False(answer.IsAborted);
        Assert.Equal(whole, answer.Body);
        Assert.Equal(["z0", "z1", "z2"], IdsOf((await ExportAsync(ExportFormat.Csv, "")).Body));
        Assert.Empty(await NotesAsync());
        Assert.NotEmpty(await BlobsAsync("s1/a1/"));
        await _scene.Snapshots.Removal.RemoveLeftoversAsync(UsersScene.Someone, default);
        Assert.Empty(await BlobsAsync("s1/a1/"));
    }

    [Fact]
    public async Task One_whose_bank_is_removed_meanwhile_breaks_off_and_keeps_nothing_back()
    {
        await SyncAsync("c1", "a1", Some("x", 500), Some("y", 500));

        var answer = await ExportAsync(
            ExportFormat.Csv, "", whileReading: () => _scene.Snapshots.Removal.RemoveConnectionAsync(UsersScene.Someone, new("c1"), null, default), acceptEncoding: "gzip");

        Assert.True(answer.IsAborted);
        Assert.Empty(await NotesAsync());
        Assert.Empty(await BlobsAsync("s1/a1/"));
        Assert.Empty(await DamagesAsync());
    }

    [Fact]
    public async Task One_whose_user_is_removed_meanwhile_leaves_nothing()
    {
        await SyncAsync("c1", "a1", Some("x", 500), Some("y", 500));
        var answer = await ExportAsync(ExportFormat.Parquet, "", whileReading: () => _scene.Snapshots.Removal.RemoveUserAsync(UsersScene.Someone, default));
        Assert.True(answer.IsAborted);
        Assert.Empty(await _storage!.ListAsync("", default).ToListAsync());
    }

    [Fact]
    public async Task Damage_is_a_problem_before_the_first_byte_and_breaks_off_after_it()
    {
        await SyncAsync("c1", "a1", Some("x", 500), Some("y", 500));
        var segment = Assert.Single(await BlobsAsync("s1/a1/"));

        var answer = await ExportAsync(ExportFormat.Csv, "", whileReading: () => _storage!.DeleteAsync(segment, default));
        Assert.True(answer.IsAborted);
        Assert.Equal([SnapshotPaths.Damage(UsersScene.Someone, new("a1"))], await DamagesAsync());

        Assert.Equal((500, "snapshot-damaged"), await ProblemAsync(""));
        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task One_that_takes_too_long_breaks_off()
    {
        await SyncAsync("c1", "a1", Some("x", 500), Some("y", 500));
        var answer = await ExportAsync(ExportFormat.Csv, "", whileReading: () =>
        {
            _scene.Clock.Advance(ExportReader.ReadFor);
            return Task.CompletedTask;
        });
        Assert.True(answer.IsAborted);
        Assert.Empty(await NotesAsync());
    }

    private static string[] Some(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Posted(string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}"), Today.AddDays(-i)))];

    private static string[] IdsOf(byte[] csv)
    {
        using var reader = Sep.Reader(options => options with { Unescape = true }).FromText(Encoding.UTF8.GetString(csv));
        return [.. reader.Enumerate(row => row["transactionId"].ToString())];
    }

    private static async Task<List<string>> IdsOfAsync(ParquetReader file)
    {
        List<string> ids = [];
        for (var group = 0; group < file.RowGroupCount; group++)
        {
            using var rows = file.OpenRowGroupReader(group);
            var some = new string?[rows.RowCount];
            await rows.ReadAsync(file.Schema.DataFields.Single(field => field.Name == "transactionId"), some.AsMemory());
            ids.AddRange(some!);
        }

        return ids;
    }

    private static async Task<T?[]> ReadAsync<T>(ParquetReader file, ParquetRowGroupReader rows, string column)
        where T : struct
    {
        var values = new T?[rows.RowCount];
        await rows.ReadAsync(file.Schema.DataFields.Single(field => field.Name == column), values.AsMemory());
        return values;
    }

    private async Task SyncAsync(string connection, string account, params string[][] pages)
    {
        var syncId = $"s{++_syncs}";
        await _scene.Snapshots.Staging.StageAccountsAsync(UsersScene.Someone, new(syncId), [Encoding.UTF8.GetBytes(Account(account, connection))], default);
        await using var segment = await _scene.Snapshots.Staging.BeginSegmentAsync(UsersScene.Someone, new(syncId), new(account), 0, default);
        foreach (var page in pages)
        {
            foreach (var transaction in page)
                segment.Append(Encoding.UTF8.GetBytes(transaction));
            await segment.CompletePageAsync(default);
        }

        var attempt = (await segment.CompleteAsync(default)).Attempt;
        await _scene.Snapshots.Publisher.PublishAsync(
            new SnapshotPublication(
                UsersScene.Someone, new(syncId), _scene.Clock.GetUtcNow(), [new(connection)], new Dictionary<AccountId, IReadOnlyList<string>> { [new(account)] = [attempt] }),
            default);
    }

    private async Task<string[]> BlobsAsync(string below) =>
        [.. (await _storage!.ListAsync(SnapshotPaths.Syncs(UsersScene.Someone) + below, default).ToListAsync()).Select(blob => blob.Name)];

    private async Task<string[]> NotesAsync() =>
        [.. (await _storage!.ListAsync(SnapshotPaths.Reads(UsersScene.Someone), default).ToListAsync()).Select(blob => blob.Name)];

    private async Task<string[]> DamagesAsync() =>
        [.. (await _storage!.ListAsync(SnapshotPaths.Damages(UsersScene.Someone), default).ToListAsync()).Select(blob => blob.Name)];

    private async Task<(int, string?)> ProblemAsync(string query)
    {
        var answer = await ExportAsync(ExportFormat.Csv, query);
        return (answer.Status, answer.Json.GetProperty("code").GetString());
    }

    private async Task<File> ExportAsync(
        ExportFormat format, string query, string? ifNoneMatch = null, string? acceptEncoding = null, Func<Task>? whileReading = null)
    {
        var functions = ActivatorUtilities.CreateInstance<ExportFunctions>(_scene.Services);
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var lifetime = new Lifetime();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        using var body = new Body(whileReading);
        context.Response.Body = body;
        context.Request.Path = $"/api/users/user-1/{format.FileName}";
        context.Request.QueryString = new QueryString(query);
        context.Request.Headers.IfNoneMatch = ifNoneMatch;
        context.Request.Headers.AcceptEncoding = acceptEncoding;
        var run = format == ExportFormat.Csv ? (Func<HttpRequest, string, CancellationToken, Task<IResult>>)functions.ExportCsvAsync : functions.ExportParquetAsync;
        await (await run(context.Request, UsersScene.Someone, default)).ExecuteAsync(context);
        await context.Response.BodyWriter.FlushAsync();
        return new File(context.Response.StatusCode, context.Response.ContentType, context.Response.Headers, body.ToArray(), lifetime.IsAborted);
    }

    private sealed record File(int Status, string? ContentType, IHeaderDictionary Headers, byte[] Body, bool IsAborted)
    {
        public JsonElement Json => JsonElement.Parse(Body);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Abort() => IsAborted = true;
    }

    /// <summary>Lets something happen when the first bytes have gone out.</summary>
    private sealed class Body(Func<Task>? meanwhile) : MemoryStream
    {
        private Func<Task>? _meanwhile = meanwhile;

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            if (Interlocked.Exchange(ref _meanwhile, null) is { } act)
                await act();
        }
    }
}
