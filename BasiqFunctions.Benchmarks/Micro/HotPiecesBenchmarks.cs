using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Ids;
using BasiqFunctions.Sync;
using BasiqFunctions.Users;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Benchmarks.Micro;

/// <summary>The pieces that every request or every page goes through.</summary>
[MemoryDiagnoser]
public class HotPiecesBenchmarks : IDisposable
{
    private const int Callers = 1_000;

    private static readonly DateTimeOffset At = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly UserId SomeUser = new("96fd7318-a055-496c-9e15-de72c7e84707");
    private static readonly AccountId SomeAccount = new("account");

    private static readonly ManifestTransactions Transactions = new(
        new("sync"), At, 1_000, [new SegmentEntry("0a1b2c3d", default, 2, 400_000, 4_096, 1)]);

    private readonly byte[] _newUser = """{"email":"max@hooli.com","mobile":"+61410888666","firstName":"Max"}"""u8.ToArray();
    private readonly TransactionPosition _position = new(0, 1, 100);
    private readonly string _folder = Directory.CreateTempSubdirectory("basiq-functions-benchmarks-").FullName;
    private readonly SyncAnswer _sync = new(
        new("sync-0123456789abcdef-0123456789abcdef"), SomeUser, SyncState.Fetching, At, At,
        [
            new SyncedJob(
                new("9aa9fd15-b07b-46f8-9a34-52cfb936b9ae"), new("8f9b6b5e-2f0c-4f54-8d3b-3b7ad0a6a0ff"), JobState.Success,
                [new SyncedStep("verify-credentials", "success"), new SyncedStep("retrieve-accounts", "success"), new SyncedStep("retrieve-transactions", "success")]),
        ],
        new AccountProgress(6, 3), 878, null);

    private ServiceProvider _services = null!;
    private ConsentStates _states = null!;
    private IServerTokenProvider _tokens = null!;
    private byte[] _page = [];
    private byte[] _user = [];
    private string _state = "";
    private Cursor _cursor = new("");
    private readonly CreateUserValidator _newUserRules = new();
    private User _parsedUser = null!;

    /// <summary>Makes the app's services, and what they are measured with.</summary>
    [GlobalSetup]
    public async Task SetUpAsync()
    {
        var services = new ServiceCollection().AddLogging();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Basiq:ApiKey"] = "no-key",
            ["KeyVault:LocalFile"] = Path.Combine(_folder, "keyvault.json"),
            ["AzureWebJobsStorage"] = "UseDevelopmentStorage=true",
        }).Build();
        services.AddSingleton<IConfiguration>(configuration).AddBasiqFunctions(configuration);
        services.Replace(ServiceDescriptor.Singleton<ITokenEndpoint>(new OneToken()));
        _services = services.BuildServiceProvider();
        _states = _services.GetRequiredService<ConsentStates>();
        _tokens = _services.GetRequiredService<IServerTokenProvider>();
        await _tokens.GetAsync();
        _state = await _states.IssueAsync(SomeUser, null, default);
        _page = PageOf(500);
        _user = Encoding.UTF8.GetBytes("""{"type":"user","id":"96fd7318-a055-496c-9e15-de72c7e84707","email":"max@hooli.com","mobile":"+61410888666","name":"Max Wentworth-Smith","links":{"self":"https://au-api.basiq.io/users/96fd7318-a055-496c-9e15-de72c7e84707"}}""");
        _parsedUser = JsonSerializer.Deserialize(_user, BasiqJson.Default.User)!;
        _cursor = WriteCursor();
    }

    /// <summary>Removes what was made.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _services?.Dispose();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>GetSync's body.</summary>
    [Benchmark(Description = "JSON out: a sync's state")]
    public byte[] WriteSync() => JsonSerializer.SerializeToUtf8Bytes(_sync, AppJson.Of<SyncAnswer>());

    /// <summary>Basiq's user, passed on.</summary>
    [Benchmark(Description = "JSON through: a user of Basiq's")]
    public byte[] PassUser() => JsonSerializer.SerializeToUtf8Bytes(
        JsonSerializer.Deserialize(_user, BasiqJson.Default.User)!, BasiqJson.Default.User);

    /// <summary>Only the way out.</summary>
    [Benchmark(Description = "JSON out: a user")]
    public byte[] WriteUser() => JsonSerializer.SerializeToUtf8Bytes(_parsedUser, BasiqJson.Default.User);

    /// <summary>CreateUser's body: read, checked field by field.</summary>
    [Benchmark(Description = "JSON in: a new user, validated")]
    public async Task<bool> ReadNewUser()
    {
        var request = new DefaultHttpContext().Request;
        request.Method = "POST";
        request.ContentType = "application/json";
        request.ContentLength = _newUser.Length;
        request.Body = new MemoryStream(_newUser);
        return (await JsonBody.ReadAsync(request, _newUserRules, CancellationToken.None)).Email is not null;
    }

    /// <summary>A page of Basiq's, cut into its transactions.</summary>
    [Benchmark(Description = "page scanner: 500 transactions")]
    public int ScanPage()
    {
        using var page = TransactionsPage.Parse(_page);
        return page.Count;
    }

    /// <summary>A consent link's state.</summary>
    [Benchmark(Description = "state: signed")]
    public Task<string> SignState() => _states.IssueAsync(SomeUser, null, default);

    /// <summary>The same, coming back.</summary>
    [Benchmark(Description = "state: verified")]
    public async Task<bool> VerifyState() => await _states.VerifyAsync(_state, default) is not null;

    /// <summary>A page's end.</summary>
    [Benchmark(Description = "cursor: written")]
    public Cursor WriteCursor() => TransactionCursor.Write(SomeUser, SomeAccount, default, Transactions, _position);

    /// <summary>The next page's beginning.</summary>
    [Benchmark(Description = "cursor: read")]
    public bool ReadCursor() =>
        TransactionCursor.Read(_cursor, SomeUser, SomeAccount, default, Transactions, out _) is TransactionCursor.Reading.Valid;

    /// <summary>One caller.</summary>
    [Benchmark(Description = "server token: one caller")]
    public async Task<ServerToken> GetToken() => await _tokens.GetAsync();

    /// <summary>Many callers on all processors.</summary>
    [Benchmark(Description = "server token: 1,000 callers at once", OperationsPerInvoke = Callers)]
    public Task GetTokens() => Parallel.ForAsync(0, Callers, async (_, cancellation) => await _tokens.GetAsync(cancellation));

    private static byte[] PageOf(int count)
    {
        var transactions = Enumerable.Range(0, count).Select(i => FormattableString.Invariant(
            $$$"""{"type":"transaction","id":"{{{i:D8}}}-a055-496c-9e15-de72c7e84707","status":"posted","description":"EFTPOS PURCHASE AT COFFEE {{{i}}} SYDNEY","amount":"-{{{i % 90}}}.{{{i % 100:D2}}}","account":"s55bf3","balance":"{{{5000 - i}}}.00","direction":"debit","class":"payment","institution":"AU00000","connection":"8f9b6b5e-2f0c-4f54-8d3b-3b7ad0a6a0ff","enrich":null,"transactionDate":"2026-06-{{{1 + (i % 28):D2}}}T00:00:00Z","postDate":"2026-06-{{{1 + (i % 28):D2}}}T00:00:00Z","subClass":{"title":"Cafes","code":"451"},"links":{"self":"https://au-api.basiq.io/users/u/transactions/{{{i:D8}}}"}}"""));
        return Encoding.UTF8.GetBytes(
            $$$"""{"type":"list","count":{{{count}}},"size":{{{count}}},"data":[{{{string.Join(',', transactions)}}}],"links":{"self":"https://au-api.basiq.io/users/u/transactions","next":"https://au-api.basiq.io/users/u/transactions?limit=500&next=abc"}}""");
    }

    /// <summary>A token that never ends.</summary>
    private sealed class OneToken : ITokenEndpoint
    {
        public Task<(string AccessToken, TimeSpan Lifetime)> MintServerTokenAsync(CancellationToken cancellationToken) =>
            Task.FromResult(("token", TimeSpan.FromHours(1)));
    }
}
