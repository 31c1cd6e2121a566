using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BasiqFunctions.Basiq;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using BasiqFunctions.Tests.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Platform.Idempotency;

/// <summary>
/// Instances of the app that share a store, a vault and a clock, and a creation of users whose outcome the test decides. An
/// instance dies when the test gives up the request that it runs and makes another instance.
/// </summary>
internal sealed class IdempotencyScene : IDisposable
{
    public static readonly TimeSpan Lease = new IdempotencyOptions().Lease;
    public static readonly TimeSpan Retention = new IdempotencyOptions().Retention;

    private readonly TemporaryDirectory _folder = new();
    private readonly SqliteRecordTables _tables;
    private readonly IRecordTable _table;
    private readonly LoggerFactory _loggers;
    private int _created;

    public IdempotencyScene()
    {
        _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        _table = ((IRecordTables)_tables).Open("BasiqIdempotency");
        _loggers = new LoggerFactory([Logs]);
        Store = new InterceptedRecordTable(_table) { Watches = (_, row) => row == IdempotencyRecords.Row };
        Vault = new SwitchableVault(Path.Combine(_folder.Path, "vault.json"), Clock);
        Here = NewInstance();
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public InterceptedRecordTable Store { get; }

    public SwitchableVault Vault { get; }

    public LogCapture Logs { get; } = new();

    /// <summary>The instance that requests go to unless they say otherwise.</summary>
    public IdempotentRequests Here { get; private set; }

    /// <summary>How many users were asked of Basiq.</summary>
    public int Sent => _created;

    /// <summary>How many users Basiq was asked for by id.</summary>
    public int Restored { get; private set; }

    /// <summary>What Basiq does with a creation: returns when it has made the user, or throws.</summary>
    public Func<Task> AtBasiq { get; set; } = () => Task.CompletedTask;

    public static BasiqException Failure(BasiqFailureKind kind, int? status = null, TimeSpan? retryAfter = null, string endpoint = "POST /users") =>
        new(new BasiqFailure(kind, "code") { StatusCode = status, RetryAfter = retryAfter, Endpoint = endpoint, CorrelationId = "corr-1" });

    public IdempotentRequests NewInstance() => new(
        new(new IdempotencyRecords(Store)), new(new AnswerSeal(Vault.CreateClient(), Clock, _loggers.CreateLogger<AnswerSeal>())), Options.Create(new IdempotencyOptions()), Clock, _loggers.CreateLogger<IdempotentRequests>());

    public void Restart() => Here = NewInstance();

    /// <summary>Asks for a user, as the function does.</summary>
    public Task<Answer> CreateAsync(
        string? key = "key-1", string body = "gavin@hooli.com", IdempotentRequests? at = null, CancellationToken aborted = default) =>
        AskAsync(
            new IdempotentOperation("POST users", () => Encoding.UTF8.GetBytes(body), async _ =>
            {
                var id = $"user-{Interlocked.Increment(ref _created)}";
                await AtBasiq();
                return (Created(id, body), new(id));
            })
            {
                IsPersonal = true,
                Restore = (userId, _) =>
                {
                    Restored++;
                    return Task.FromResult<IResult>(Created(userId, "as it is now"));
                },
                OutcomeUnknown = new BasiqFailure(BasiqFailureKind.OutcomeUnknown, "no-answer").ToProblem(),
            },
            key, at, aborted);

    /// <summary>Asks for a sync, as the function does.</summary>
    public Task<Answer> StartAsync(string key = "key-1", IdempotentRequests? at = null) =>
        AskAsync(
            new IdempotentOperation("POST users/user-1/syncs", () => "job-1"u8.ToArray(), async _ =>
            {
                var run = Interlocked.Increment(ref _created);
                await AtBasiq();
                return (Json(202, $"run {run}", "/api/sync-1"), new("user-1"));
            })
            {
                UserId = new("user-1"),
            },
            key, at, default);

    public async Task<IdempotencyRecord?> RecordAsync(string key = "key-1") =>
        await new IdempotencyRecords(_table).FindAsync(IdempotencyKey.Parse(key)!.Id, default);

    /// <summary>Everything that the store has on disk.</summary>
    public string StoredText()
    {
        var text = new StringBuilder();
        foreach (var file in _folder.Files.Where(file => Path.GetFileName(file).StartsWith("records", StringComparison.Ordinal)))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            text.Append(reader.ReadToEnd());
        }

        return text.ToString();
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _tables.Dispose();
        _folder.Dispose();
    }

    private static JsonAnswer<string> Created(string id, string body) => Json(201, $"{id} {body}", $"/api/users/{id}");

    private static JsonAnswer<string> Json(int status, string value, string location) =>
        new(status, value, (JsonTypeInfo<string>)JsonSerializerOptions.Default.GetTypeInfo(typeof(string))) { Location = location };

    private async Task<Answer> AskAsync(IdempotentOperation operation, string? key, IdempotentRequests? at, CancellationToken aborted)
    {
        using var written = new MemoryStream();
        var context = new DefaultHttpContext { RequestAborted = aborted };
        context.Response.Body = written;
        if (key is not null)
            context.Request.Headers["Idempotency-Key"] = key;
        var answers = new HttpAnswers(Options.Create(new HttpOptions()), TimeProvider.System, _loggers.CreateLogger<HttpAnswers>());
        var result = await answers.RunAsync(
            context, "Test", token => (at ?? Here).RunAsync(context.Request, operation, token), aborted);
        await result.ExecuteAsync(context);
        await context.Response.CompleteAsync();
        return new Answer(context.Response.StatusCode, context.Response.Headers, context.Response.ContentType, Encoding.UTF8.GetString(written.ToArray()));
    }
}
