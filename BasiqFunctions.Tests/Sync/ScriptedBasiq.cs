using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using BasiqFunctions.Basiq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace BasiqFunctions.Tests.Sync;

/// <summary>
/// A Basiq of one user whose every answer a test can make odd. It stands on the wire, where the app's requests would leave the process.
/// </summary>
internal sealed class ScriptedBasiq
{
    public const string UserId = "user-1";

    private static readonly string[] StepTitles = ["verify-credentials", "retrieve-accounts", "retrieve-transactions"];

    private readonly ConcurrentQueue<string> _requests = [];

    /// <summary>Jobs that <c>GET /jobs/{id}</c> finds.</summary>
    public ConcurrentDictionary<string, string> Jobs { get; } = new();

    /// <summary>The records of the list of jobs; those of <see cref="Jobs"/> unless a test says otherwise.</summary>
    public IReadOnlyList<string>? ListedJobs { get; set; }

    public IReadOnlyList<string> Accounts { get; set; } = [];

    /// <summary>The status of each connection that is listed.</summary>
    public ConcurrentDictionary<string, string> Connections { get; } = new();

    /// <summary>The transactions of a page, and the link to the next; by account and the link's <c>next</c>.</summary>
    public Func<string, string?, (string[] Transactions, string? Next)> Page { get; set; } = (account, _) => ([Transaction($"t-of-{account}")], null);

    /// <summary>An answer to a request in place of the usual one; null for that.</summary>
    public Func<string, HttpResponseMessage?> Instead { get; set; } = _ => null;

    /// <summary>What dates the answers; null leaves them undated.</summary>
    public TimeProvider? Clock { get; set; }

    public int Count(string request) => _requests.Count(made => made.StartsWith(request, StringComparison.Ordinal));

    public void Attach(IServiceCollection services) =>
        services.PostConfigure<HttpClientFactoryOptions>(
            BasiqTransport.HttpClientName,
            options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.AdditionalHandlers.Add(new Wire(this))));

    public static string Job(string id, string? connectionId, string status = "success") => JsonSerializer.Serialize(new
    {
        type = "job",
        id,
        updated = "2026-06-01T00:00:00Z",
        steps = StepTitles.Select(title => new { title, status, result = (object?)null }),
        links = connectionId is null ? null : new { source = $"https://basiq.test/users/{UserId}/connections/{connectionId}" },
    });

    public static string Account(string id, string connection, string? number = null, string balance = "100.00", string institution = "AU00000", string name = "Everyday") =>
        JsonSerializer.Serialize(new
        {
            type = "account",
            id,
            accountNo = number,
            balance,
            currency = "AUD",
            name,
            connection,
            institution,
            @class = new { type = "transaction" },
        });

    public static string Transaction(string id, string postDate = "2026-06-01T00:00:00Z") =>
        $$"""{"type":"transaction","id":"{{id}}","status":"posted","amount":"-1.00","postDate":"{{postDate}}"}""";

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage NotFound() => Json(
        """{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"resource-not-found","title":"Resource not found","detail":"","source":{"parameter":"id"}}]}""",
        HttpStatusCode.NotFound);

    private HttpResponseMessage Answer(HttpMethod method, Uri url)
    {
        var request = $"{method} {url.AbsolutePath}";
        _requests.Enqueue(request);
        if (Instead(request) is { } odd)
            return odd;
        var path = url.AbsolutePath.Trim('/').Split('/');
        return (method.Method, path) switch
        {
            ("POST", ["token"]) => Json("""{"access_token":"scripted-token-7f3a9c","token_type":"Bearer","expires_in":3600}"""),
            ("GET", ["jobs", var id]) => Jobs.TryGetValue(id, out var job) ? Json(job) : NotFound(),
            ("GET", ["users", UserId]) => Json($$"""{"type":"user","id":"{{UserId}}"}"""),
            ("GET", ["users", UserId, "jobs"]) => List(ListedJobs ?? [.. Jobs.Values]),
            ("GET", ["users", UserId, "accounts"]) => List(Accounts),
            ("GET", ["users", UserId, "connections"]) => List([.. Connections.Select(Connection)]),
            ("GET", ["users", UserId, "connections", var id]) =>
                Connections.TryGetValue(id, out var status) ? Json(Connection(new(id, status))) : NotFound(),
            ("DELETE", ["users", UserId, "connections", var id]) => Connections.TryRemove(id, out _) ? new(HttpStatusCode.NoContent) { Content = new ByteArrayContent([]) } : NotFound(),
            ("POST", ["users", UserId, "connections", _, "purge"]) => new(HttpStatusCode.NoContent) { Content = new ByteArrayContent([]) },
            ("GET", ["users", UserId, "consents"]) => List(["""{"type":"consent","id":"11111111-1111-4111-8111-111111111111","status":"active","created":"2026-01-01T00:00:00Z","expiryDate":"2099-01-01T00:00:00Z"}"""]),
            ("GET", ["users", UserId, "transactions"]) => Transactions(url),
            _ => NotFound(),
        };
    }

    private HttpResponseMessage Transactions(Uri url)
    {
        var query = HttpUtility.ParseQueryString(url.Query);
        var account = query["account"] ?? query["filter"]!.Split('\'')[1];
        var (transactions, next) = Page(account, query["next"]);
        var links = new JsonObject { ["self"] = "https://basiq.test" };
        if (next is not null)
            links["next"] = $"{url.GetLeftPart(UriPartial.Path)}?account={account}&next={next}";
        return Json($$"""{"type":"list","data":[{{string.Join(',', transactions)}}],"links":{{links.ToJsonString()}}}""");
    }

    private static string Connection(KeyValuePair<string, string> connection) =>
        $$$"""{"type":"connection","id":"{{{connection.Key}}}","status":"{{{connection.Value}}}","institution":{"id":"AU00000"}}""";

    private static HttpResponseMessage List(IReadOnlyList<string> records) =>
        Json(string.Create(CultureInfo.InvariantCulture, $$"""{"type":"list","count":{{records.Count}},"data":[{{string.Join(',', records)}}]}"""));

    private sealed class Wire(ScriptedBasiq basiq) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = basiq.Answer(request.Method, request.RequestUri!);
            answer.RequestMessage = request;
            answer.Headers.Date = basiq.Clock?.GetUtcNow();
            return Task.FromResult(answer);
        }
    }
}
