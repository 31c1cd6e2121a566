using System.Globalization;
using System.Text;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Data.Exports;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Ids;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>A snapshot store over files, and what a sync does to it in short ways.</summary>
internal sealed class SnapshotStage : IDisposable
{
    public static readonly UserId User = new("user-1");
    private const string Account = """{"type":"account","id":"a1","connection":"c1","institution":"AU00000","balance":"1.00"}""";

    private readonly TemporaryFolder _folder = new();
    private readonly SqliteRecordTables _tables;
    private readonly SnapshotStaging _staging;
    private readonly SnapshotPublisher _publisher;
    private readonly ChangeReader _reader;
    private int _syncs;

    public SnapshotStage()
    {
        var storage = new FileSnapshotStorage(Path.Combine(_folder.Path, "snapshots"), TimeProvider.System);
        _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        var snapshots = Options.Create(new SnapshotOptions());
        var changes = Options.Create(new ChangeOptions());
        var manifests = new SnapshotManifests(storage, NullLogger<SnapshotManifests>.Instance);
        var damaged = new DamagedAccounts(storage);
        var removal = new SnapshotRemoval(storage, manifests, damaged, snapshots, changes, TimeProvider.System, NullLogger<SnapshotRemoval>.Instance);
        _staging = new SnapshotStaging(storage, manifests, damaged, snapshots, TimeProvider.System, NullLogger<SnapshotStaging>.Instance);
        _publisher = new SnapshotPublisher(
            storage, manifests, removal, damaged, snapshots, changes, TimeProvider.System, NullLogger<SnapshotPublisher>.Instance);
        var due = new DueWork(((IRecordTables)_tables).Open("BasiqDue"), TimeProvider.System);
        _reader = new ChangeReader(manifests, storage, due, snapshots, changes, TimeProvider.System);
        Exports = new ExportReader(manifests, new SnapshotReader(storage, manifests, snapshots), storage, due, snapshots, TimeProvider.System);
    }

    /// <summary>How many changes of transactions were read.</summary>
    public long Read { get; private set; }

    /// <summary>What lies in the files of changes.</summary>
    public long Bytes => new DirectoryInfo(Path.Combine(_folder.Path, "snapshots")).EnumerateFiles("changes-*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>Opens the whole to be read at once.</summary>
    public ExportReader Exports { get; }

    public static string Posted(int number, DateOnly day, string words) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"type":"transaction","id":"{{number:x8}}-4f7a-11ee","status":"posted","description":"{{words}} {{number}}","amount":"-{{number % 900}}.10","account":"a1","balance":"{{number}}.00","direction":"debit","class":"payment","institution":"AU00000","connection":"c1","postDate":"{{day:yyyy-MM-dd}}T00:00:00Z","transactionDate":null,"currency":"AUD","subClass":{"code":"411","title":"Supermarket and Grocery Stores"},"links":{"self":"https://au-api.basiq.io/users/user-1/transactions/{{number:x8}}-4f7a-11ee"} }""");

    public string NextSync() => string.Create(CultureInfo.InvariantCulture, $"s{++_syncs}");

    public async Task<(string SyncId, string[] Attempts)> StageAsync(IEnumerable<string> rows)
    {
        var syncId = NextSync();
        await _staging.StageAccountsAsync(User, new(syncId), [Encoding.UTF8.GetBytes(Account)], default);
        List<string> attempts = [];
        foreach (var some in rows.Chunk(10_000))
            attempts.Add(await WriteAsync(syncId, some, attempts.Count));
        return (syncId, [.. attempts]);
    }

    public async Task<KeptSpan> PlanAsync(string syncId)
    {
        await _staging.StageAccountsAsync(User, new(syncId), [Encoding.UTF8.GetBytes(Account)], default);
        var plan = await _staging.PlanAsync(
            User, new(syncId), [(new("a1"), Encoding.UTF8.GetBytes(Account))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), IsFull: false), default);
        return plan[0].Kept ?? throw new InvalidOperationException("The whole would be fetched.");
    }

    public async Task<string> WriteAsync(string syncId, IEnumerable<string> rows, int number = 0)
    {
        await using var segment = await _staging.BeginSegmentAsync(User, new(syncId), new("a1"), number, default);

        // Page by page, as Basiq gives them.
        foreach (var page in rows.Chunk(500))
        {
            foreach (var row in page)
                segment.Append(Encoding.UTF8.GetBytes(row));
            await segment.CompletePageAsync(default);
        }

        return (await segment.CompleteAsync(default)).Attempt;
    }

    public async Task PublishAsync((string SyncId, string[] Attempts) sync, Dictionary<AccountId, FetchedSpan> spans)
    {
        var published = await _publisher.PublishAsync(
            new SnapshotPublication(User, new(sync.SyncId), DateTimeOffset.UtcNow, [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>> { [new("a1")] = sync.Attempts }) { Spans = spans },
            default);
        if (published.Outcome is not PublishOutcome.Published)
            throw new InvalidOperationException($"{published.Outcome}");
    }

    public async Task<ChangePosition> ReadAllAsync(ChangePosition? after)
    {
        while (true)
        {
            if (await _reader.ReadAsync(User, new ChangeQuery(ChangeQuery.MaxLimit, after), default) is not ChangesResult.Page page)
                throw new InvalidOperationException("There is no page.");
            Read += Count(page.Changes.Span);
            after = page.Next;
            if (!page.HasMore)
                return after;
        }
    }

    public void Dispose()
    {
        _tables.Dispose();
        _folder.Dispose();
    }

    private static int Count(ReadOnlySpan<byte> changes) => changes.Count("\"transactionId\":"u8);
}
