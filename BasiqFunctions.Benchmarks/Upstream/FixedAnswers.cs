using System.Text;

namespace BasiqFunctions.Benchmarks.Upstream;

/// <summary>
/// Basiq reduced to constants: whatever is asked, the same bytes in the shape of Basiq's answers. What is measured in front of it is
/// the cost of what stands in front.
/// </summary>
internal static class FixedAnswers
{
    public const string UserId = "a7c13f5e-4f1b-4d1c-9a53-8a8d1e1f2b6c";
    public const string JobId = "61723e5f-6f0e-4b2a-8c47-9d2f0b1f7a3d";
    public const string AccountId = "s55bf3";
    public const int PageSize = 100;

    private const string ConnectionId = "9b2c7a10-2f64-4d0a-9a2e-3d5f1c8e7b42";

    /// <summary>What a client of Basiq's sends to have a client token.</summary>
    public const string TokenForm = $"scope=CLIENT_ACCESS&userId={UserId}";

    /// <summary>What creates a user, here and at Basiq.</summary>
    public const string NewUser =
        """{"email":"gavin@hooli.com","mobile":"+61410888666","firstName":"Gavin","lastName":"Belson"}""";

    /// <summary>What it gives as a token, as long as Basiq's are.</summary>
    public static string AccessToken { get; } = $"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{new string('x', 600)}.{new string('y', 43)}";

    /// <summary>The answer to a request; null when Basiq has no such page.</summary>
    public static (int Status, byte[] Body)? To(string method, string path) => (method, path) switch
    {
        ("POST", "/token") => (200, Token),
        ("POST", "/users") => (201, User),
        ("GET", $"/users/{UserId}") => (200, User),
        ("GET", $"/jobs/{JobId}") => (200, Job),
        ("GET", $"/users/{UserId}/jobs") => (200, Jobs),
        ("GET", $"/users/{UserId}/accounts") => (200, Accounts),
        ("GET", $"/users/{UserId}/transactions") => (200, Transactions),
        _ => null,
    };

    private static readonly byte[] Token = Utf8($$$"""{"access_token":"{{{AccessToken}}}","token_type":"Bearer","expires_in":3600}""");

    private static readonly byte[] User = Utf8(
        $$$"""
        {"type":"user","id":"{{{UserId}}}","email":"gavin@hooli.com","mobile":"+61410888666","firstName":"Gavin","lastName":"Belson","name":"Gavin Belson","createdTime":"2026-01-05T03:04:05Z","connections":{"type":"list","count":0,"data":[]},"accounts":{"type":"list","count":0,"data":[]},"links":{"self":"https://au-api.basiq.io/users/{{{UserId}}}","connections":"https://au-api.basiq.io/users/{{{UserId}}}/connections"}}
        """);

    private static readonly string JobText =
        $$$"""
        {"type":"job","id":"{{{JobId}}}","created":"2026-01-05T03:04:05Z","updated":"2026-01-05T03:04:11Z","jobType":"connection","steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/{{{UserId}}}/connections/{{{ConnectionId}}}"}},{"title":"retrieve-accounts","status":"success","result":{"type":"link","url":"/users/{{{UserId}}}/accounts"}},{"title":"retrieve-transactions","status":"success","result":{"type":"link","url":"/users/{{{UserId}}}/transactions"}}],"links":{"self":"https://au-api.basiq.io/jobs/{{{JobId}}}","source":"https://au-api.basiq.io/users/{{{UserId}}}/connections/{{{ConnectionId}}}"}}
        """;

    private static readonly byte[] Job = Utf8(JobText);

    private static readonly byte[] Jobs = Utf8($$$"""{"type":"list","size":1,"data":[{{{JobText}}}],"links":{"self":"https://au-api.basiq.io/users/{{{UserId}}}/jobs"}}""");

    private static readonly byte[] Accounts = List(
        3,
        i =>
            $$$"""
            {"type":"account","id":"s55bf{{{3 + i}}}","accountNo":"60200010{{{i}}}","name":"Everyday {{{i}}}","currency":"AUD","balance":"356.{{{10 + i}}}","availableFunds":"350.{{{10 + i}}}","lastUpdated":"2026-01-05T03:04:11Z","creditLimit":"","class":{"type":"transaction","product":"Hooli Transaction"},"transactionIntervals":[],"accountHolder":"GAVIN BELSON","connection":"{{{ConnectionId}}}","institution":"AU00000","status":"available","links":{"self":"https://au-api.basiq.io/users/{{{UserId}}}/accounts/s55bf{{{3 + i}}}","institution":"https://au-api.basiq.io/institutions/AU00000"}}
            """);

    private static readonly byte[] Transactions = List(
        PageSize,
        i =>
            $$$"""
            {"type":"transaction","id":"t{{{i:D6}}}","status":"posted","description":"HOOLI COFFEE {{{i}}} SYDNEY AU","amount":"-{{{4 + i}}}.50","account":"{{{AccountId}}}","balance":"{{{9000 - i}}}.55","direction":"debit","class":"payment","institution":"AU00000","connection":"{{{ConnectionId}}}","transactionDate":"","postDate":"2025-{{{1 + (i % 12):D2}}}-{{{1 + (i % 28):D2}}}T00:00:00Z","subClass":{"title":"Cafes, Restaurants and Takeaway Food Services","code":"451"},"links":{"self":"https://au-api.basiq.io/users/{{{UserId}}}/transactions/t{{{i:D6}}}","account":"https://au-api.basiq.io/users/{{{UserId}}}/accounts/{{{AccountId}}}"}}
            """);

    private static byte[] List(int count, Func<int, string> item) =>
        Utf8(
            $$$"""{"type":"list","count":{{{count}}},"size":{{{count}}},"data":[{{{string.Join(',', Enumerable.Range(0, count).Select(item))}}}],"links":{"self":"https://au-api.basiq.io/"}}""");

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
