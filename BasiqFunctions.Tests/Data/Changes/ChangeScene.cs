using System.Globalization;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Data.Changes;

/// <summary>A snapshot store in memory, what a sync does to it in short ways, and readers of the feed.</summary>
internal sealed class ChangeScene
{
    public static readonly UserId User = new("user-1");

    private readonly Dictionary<string, Dictionary<AccountId, IReadOnlyList<string>>> _attempts = [];
    private int _syncs;

    public ChangeScene()
    {
        Blobs = new MemorySnapshotStorage(Clock);
        Storage = new InterceptedStorage(Blobs);
        Options = new ChangeOptions();
        Due = new DueWork(new MemoryRecordTables().Open("BasiqDue"), Clock);
        var snapshots = Microsoft.Extensions.Options.Options.Create(new SnapshotOptions());
        var changes = Microsoft.Extensions.Options.Options.Create(Options);
        Store = SnapshotParts.Over(Storage, Clock, changes: Options);
        Reader = new ChangeReader(Store.Manifests, Storage, Due, snapshots, changes, Clock);
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2024, 7, 1, 0, 0, 0, TimeSpan.Zero));

    public MemorySnapshotStorage Blobs { get; }

    public InterceptedStorage Storage { get; }

    public ChangeOptions Options { get; }

    public DueWork Due { get; }

    public SnapshotParts Store { get; }

    public ChangeReader Reader { get; }

    public DateOnly Today => DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime);

    public static string Account(string id, string connection, string balance = "1.00") =>
        $$"""{"type":"account","id":"{{id}}","balance":"{{balance}}","connection":"{{connection}}","institution":"AU00000","accountNo":"12-{{id}}"}""";

    public static string Posted(string id, DateOnly day, string words = "words", string amount = "-1.00", string currency = "AUD") => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"type":"transaction","id":"{{id}}","status":"posted","description":"{{words}}","amount":"{{amount}}","currency":"{{currency}}","postDate":"{{day:yyyy-MM-dd}}T00:00:00Z","transactionDate":null}""");

    public static string Pending(string id, DateOnly day, string words = "words", string amount = "-1.00", string currency = "AUD") => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"type":"transaction","id":"{{id}}","status":"pending","description":"{{words}}","amount":"{{amount}}","currency":"{{currency}}","postDate":null,"transactionDate":"{{day:yyyy-MM-dd}}T00:00:00Z"}""");

    public static string IdOf(string json) => JsonElement.Parse(json).GetProperty("id").GetString()!;

    /// <summary>Stages a sync that fetches all of some accounts.</summary>
    public async Task<string> StageAsync(params (string Json, string[]? Transactions)[] accounts)
    {
        var syncId = string.Create(CultureInfo.InvariantCulture, $"s{++_syncs}");
        await Store.Staging.StageAccountsAsync(User, new(syncId), accounts.Select(account => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(account.Json)), default);
        Dictionary<AccountId, IReadOnlyList<string>> attempts = [];
        foreach (var (json, transactions) in accounts.Where(account => account.Transactions is not null))
            attempts.Add(new(IdOf(json)), [await WriteSegmentAsync(syncId, IdOf(json), 0, transactions!)]);
        _attempts.Add(syncId, attempts);
        return syncId;
    }

    public async Task<string> WriteSegmentAsync(string syncId, string accountId, int number, IEnumerable<string> transactions)
    {
        await using var writer = await Store.Staging.BeginSegmentAsync(User, new(syncId), new(accountId), number, default);
        foreach (var transaction in transactions)
            writer.Append(Encoding.UTF8.GetBytes(transaction));
        return (await writer.CompleteAsync(default)).Attempt;
    }

    /// <summary>Which attempts a publication is to count.</summary>
    public void SetSegments(string syncId, string accountId, IReadOnlyList<string> attempts) => _attempts[syncId][new(accountId)] = attempts;

    public Task<PublishResult> PublishAsync(
        string syncId, string[] connections, AccountListing? listing = null, Dictionary<AccountId, FetchedSpan>? spans = null, DateTimeOffset? startedAt = null) =>
        Store.Publisher.PublishAsync(
            new SnapshotPublication(User, new(syncId), startedAt ?? Clock.GetUtcNow(), [.. connections.Select(id => new ConnectionId(id))], _attempts[syncId])
            {
                Listing = listing ?? AccountListing.None,
                Spans = spans ?? [],
            },
            default);

    /// <summary>A whole sync of one connection.</summary>
    public async Task<PublishResult> SyncAsync(string connection, params (string Json, string[]? Transactions)[] accounts) =>
        await PublishAsync(await StageAsync(accounts), [connection]);

    /// <summary>All transactions of the snapshot, and the accounts.</summary>
    public async Task<(Dictionary<string, string> Transactions, Dictionary<string, string> Accounts)> ReadSnapshotAsync()
    {
        Dictionary<string, string> transactions = [], accounts = [];
        foreach (var account in (await Store.Reader.GetCurrentAsync(User, default))?.Accounts ?? [])
        {
            accounts.Add(account.AccountId, Encoding.UTF8.GetString(account.Raw.Span));
            Cursor? cursor = null;
            do
            {
                if (await Store.Reader.ReadTransactionsAsync(User, account.AccountId, new TransactionQuery(Limit: 500, Cursor: cursor), default) is not TransactionsResult.Page page)
                    break;
                foreach (var transaction in page.Transactions.Select(t => Encoding.UTF8.GetString(t.Span)))
                    transactions.Add($"{account.AccountId}/{IdOf(transaction)}", transaction);
                cursor = page.NextCursor;
            }
            while (cursor is not null);
        }

        return (transactions, accounts);
    }
}
