using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>Answers of the API about one person, in place of the app's: whatever a test wants the page to meet.</summary>
internal sealed class MadeUpAnswers
{
    public const string UserId = "person-1";

    private readonly Dictionary<string, Func<IRequest, (int Status, object? Body)>> _answers = new(StringComparer.Ordinal)
    {
        ["GET "] = _ => (200, new { id = UserId, email = "max@hooli.com" }),
        ["GET /connections"] = _ => (200, new
        {
            connections = new[] { new { id = "c-1", status = "active", institution = new { id = "AU00000" } } },
            asOf = DateTimeOffset.UtcNow,
        }),
        ["GET /consents"] = _ => (200, Consents("active")),
        ["GET /accounts"] = _ => (200, Accounts(DateTimeOffset.UtcNow.AddHours(-1), "1200.50")),
        ["GET /accounts/a-1/transactions"] = _ => (200, Transactions("a-1")),
        ["GET /accounts/a-2/transactions"] = _ => (200, Transactions("a-2")),
        ["GET /changes"] = _ => (200, Changes(0, "the-end", hasMore: false)),
        ["GET /reports"] = _ => (200, new { reports = Array.Empty<object>() }),
    };

    private readonly object _gate = new();

    /// <summary>What was asked for: method, path below the user, and query.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public Func<IRequest, (int Status, object? Body)> this[string request]
    {
        set
        {
            lock (_gate)
                _answers[request] = value;
        }
    }

    public static object Consents(string status) =>
        new { consents = Array.Empty<object>(), standings = new[] { new { consentId = "k-1", status, endsAt = DateTimeOffset.UtcNow.AddDays(40) } } };

    public static object Accounts(DateTimeOffset fetchedAt, string balance) => new
    {
        syncId = "sync-1",
        fetchedAt,
        accounts = new object[]
        {
            new { id = "a-1", name = "Everyday", balance, currency = "AUD", connection = "c-1", institution = "AU00000", @class = new { type = "transaction" } },
            new { id = "a-2", name = "From a statement", balance = "10.00", currency = "AUD", institution = "AU90002", @class = new { type = "savings" } },
        },
    };

    public static object Transactions(string accountId) => new
    {
        transactions = Enumerable.Range(0, 3).Select(i => new
        {
            id = $"{accountId}-{i}",
            status = "posted",
            description = $"Coffee {i} of {accountId}",
            amount = "-4.50",
            currency = "AUD",
            postDate = DateTimeOffset.UtcNow.AddDays(-i).ToString("yyyy-MM-dd", null) + "T00:00:00Z",
        }),
    };

    public static object Changes(int added, string nextCursor, bool hasMore, DateTimeOffset? dataAsOf = null, object[]? accounts = null) => new
    {
        changes = Enumerable.Range(0, added).Select(i => new { type = "added", transactionId = $"{nextCursor}-{i}", accountId = "a-1" }),
        accounts,
        nextCursor,
        hasMore,
        dataAsOf = dataAsOf ?? DateTimeOffset.UtcNow.AddHours(-2),
    };

    public static object Problem(string code) => new { code, detail = $"The answer is {code}.", correlationId = "none" };

    /// <summary>Answers what the page asks about the person from now on.</summary>
    public async Task UseAsync(IPage page) => await page.RouteAsync($"**/api/users/{UserId}**", async route =>
    {
        var url = new Uri(route.Request.Url);
        var path = url.AbsolutePath[$"/api/users/{UserId}".Length..];
        Func<IRequest, (int Status, object? Body)>? find;
        lock (_gate)
        {
            Asked.Enqueue($"{route.Request.Method} {path}{url.Query}");
            find = _answers.GetValueOrDefault($"{route.Request.Method} {path}");
        }

        var (status, body) = find?.Invoke(route.Request) ?? (404, Problem("not-found"));
        await route.FulfillAsync(new()
        {
            Status = status,
            ContentType = "application/json",
            Headers = status == 202 ? new Dictionary<string, string> { ["Retry-After"] = "1" } : [],
            Body = body is null ? "" : JsonSerializer.Serialize(body, WithoutNulls),
        });
    });

    private static readonly JsonSerializerOptions WithoutNulls = new()
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };
}
