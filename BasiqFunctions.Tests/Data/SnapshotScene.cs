using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Data;

/// <summary>A snapshot store over files, a clock that stands still, and short ways to do what a sync does.</summary>
internal sealed partial class SnapshotScene : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly ConcurrentDictionary<(string SyncId, string AccountId, int Segment), string> _attempts = [];

    private readonly SqliteRecordTables _tables;

    public SnapshotScene()
    {
        _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        Receipts = new DeletionReceipts(((IRecordTables)_tables).Open("BasiqReceipts"), Options.Create(new ReceiptOptions()), Clock);
        Storage = new InterceptedStorage(new FileSnapshotStorage(Folder, Clock));
        Store = SnapshotParts.Over(Storage, Clock);
    }

    public string Folder => Path.Combine(_folder.Path, "snapshots");

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2024, 7, 1, 0, 0, 0, TimeSpan.Zero));

    public InterceptedStorage Storage { get; }

    public SnapshotParts Store { get; }

    public DeletionReceipts Receipts { get; }

    /// <summary>What lies in the folder; the names of segments without the attempt that wrote them.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories).Select(f => WithoutAttempt(Path.GetRelativePath(Folder, f))).Order(StringComparer.Ordinal)]
        : [];

    public static string WithoutAttempt(string blobName) => Attempt().Replace(blobName, ".pages");

    public string SegmentPath(UserId userId, string syncId, string accountId, int segment) => Path.Combine(
        Folder, SnapshotPaths.Segment(userId, new(syncId), new(accountId), segment, _attempts[(syncId, accountId, segment)]));

    public static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    public static ReadOnlyMemory<byte> Account(string id, string connection, string balance = "1.00") =>
        Utf8($$"""{"type":"account","id":"{{id}}","balance":"{{balance}}","connection":"{{connection}}","institution":"AU00000"}""");

    public static string Posted(int number, DateOnly date) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"type":"transaction","id":"t{{number}}","status":"posted","amount":"-{{number}}.10","postDate":"{{date:yyyy-MM-dd}}T00:00:00Z","transactionDate":null}""");

    /// <summary>Stages accounts, each with one segment of one page, as <c>id, connection, transactions</c>.</summary>
    public async Task<Dictionary<string, int>> StageAsync(
        UserId userId, string syncId, params (string AccountId, string ConnectionId, string[] Transactions)[] accounts)
    {
        await Store.Staging.StageAccountsAsync(userId, new(syncId), accounts.Select(a => Account(a.AccountId, a.ConnectionId, syncId)), default);
        var segments = new Dictionary<string, int>();
        foreach (var (accountId, _, transactions) in accounts)
        {
            await WriteSegmentAsync(userId, syncId, accountId, 0, [transactions]);
            segments.Add(accountId, 1);
        }
        return segments;
    }

    public async Task<SegmentSummary> WriteSegmentAsync(UserId userId, string syncId, string accountId, int segment, IEnumerable<IEnumerable<string>> pages)
    {
        await using var writer = await Store.Staging.BeginSegmentAsync(userId, new(syncId), new(accountId), segment, default);
        foreach (var page in pages)
        {
            foreach (var transaction in page)
                writer.Append(Utf8(transaction).Span);
            await writer.CompletePageAsync(default);
        }
        return await CompleteAsync(writer, syncId, accountId, segment);
    }

    /// <summary>Completes a segment; a publication that counts the account's segments then means this attempt.</summary>
    public async Task<SegmentSummary> CompleteAsync(SegmentWriter writer, string syncId, string accountId, int segment)
    {
        var summary = await writer.CompleteAsync(default);
        _attempts[(syncId, accountId, segment)] = summary.Attempt;
        return summary;
    }

    public Task<PublishResult> PublishAsync(UserId userId, string syncId, Dictionary<string, int> segments, params string[] connections) =>
        PublishAsync(userId, syncId, Clock.GetUtcNow(), segments, connections);

    public Task<PublishResult> PublishAsync(
        UserId userId, string syncId, DateTimeOffset startedAt, Dictionary<string, int> segments, params string[] connections) =>
        Store.Publisher.PublishAsync(
            new SnapshotPublication(
                userId, new(syncId), startedAt, [.. connections.Select(id => new ConnectionId(id))],
                segments.ToDictionary(s => new AccountId(s.Key), s => (IReadOnlyList<string>)[.. Enumerable.Range(0, s.Value)
                    .Select(i => _attempts.GetValueOrDefault((syncId, s.Key, i), "never-written"))])),
            default);

    /// <summary>What a sync that starts now would have to fetch of an account; null for the whole.</summary>
    public async Task<KeptSpan?> PlanAsync(UserId userId, string accountId, string connectionId, bool isFull = false, string? account = null)
    {
        if (isFull)
            await StageAsync(userId, "full", (accountId, connectionId, []));
        return Assert.Single(await Store.Staging.PlanAsync(
            userId, new("full"), [(new(accountId), account is null ? Account(accountId, connectionId) : Encoding.UTF8.GetBytes(account))],
            new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), isFull), default)).Kept;
    }

    /// <summary>A sync of one account that fetches what is new of it.</summary>
    public async Task<PublishResult> SyncPartAsync(UserId userId, string syncId, string accountId, string connectionId, KeptSpan kept, params string[] newer)
    {
        await StageAsync(userId, syncId, (accountId, connectionId, newer));
        return await Store.Publisher.PublishAsync(
            new SnapshotPublication(
                userId, new(syncId), Clock.GetUtcNow(), [new(connectionId)],
                new Dictionary<AccountId, IReadOnlyList<string>> { [new(accountId)] = [_attempts[(syncId, accountId, 0)]] })
            {
                Spans = new Dictionary<AccountId, FetchedSpan> { [new(accountId)] = new(kept, Newer: 1, Pending: null, IsUnchanged: false) },
            },
            default);
    }

    /// <summary>A whole sync of one account with one transaction.</summary>
    public async Task<PublishResult> SyncAsync(UserId userId, string syncId, string accountId, string connectionId)
    {
        var startedAt = Clock.GetUtcNow();
        var segments = await StageAsync(userId, syncId, (accountId, connectionId, [Posted(1, new DateOnly(2024, 6, 1))]));
        return await PublishAsync(userId, syncId, startedAt, segments, connectionId);
    }

    public async Task<string[]> AccountIdsAsync(UserId userId) =>
        [.. ((await Store.Reader.GetCurrentAsync(userId, default))?.Accounts ?? []).Select(a => $"{a.AccountId}@{a.RunId}").Order(StringComparer.Ordinal)];

    public async Task<string[]> ReadAllAsync(UserId userId, string accountId, TransactionQuery query)
    {
        var all = new List<string>();
        do
        {
            var page = Assert.IsType<TransactionsResult.Page>(await Store.Reader.ReadTransactionsAsync(userId, new(accountId), query, default));
            Assert.True(page.Transactions.Count <= query.Limit);
            Assert.True(page.NextCursor is null || page.Transactions.Count == query.Limit, "Only the last page may be short.");
            all.AddRange(page.Transactions.Select(Text));
            query = query with { Cursor = page.NextCursor };
        }
        while (query.Cursor is not null);
        return [.. all];
    }

    public void Dispose()
    {
        _tables.Dispose();
        _folder.Dispose();
    }

    [GeneratedRegex("-[0-9a-f]{8}\\.pages$")]
    private static partial Regex Attempt();
}
