using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Consents;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Connections;

/// <summary><c>/connectors</c>: the ways to each bank, with what they can do and how they are.</summary>
internal sealed partial class Connectors(LiveOptions options)
{
    private const string Operational = "operational";
    private const string Country = "Australia";

    // In filters the method of open banking has a hyphen, in answers it has none: so it is in Basiq's OpenAPI.
    private const string OpenBanking = "openbanking";
    private const string OpenBankingInFilters = "open-banking";

    /// <summary>What <c>status</c> may be.</summary>
    public static readonly IReadOnlyList<string> Statuses =
        [Operational, "degraded-performance", "partial-outage", "major-outage", "under-maintenance"];

    private static readonly FilterFields Filters = new(
    [
        ("connector.id", FilterOps.Eq),
        ("connector.method", FilterOps.Eq),
        ("connector.status", FilterOps.Choice),
        ("connector.stage", FilterOps.Choice),
        ("connector.scopes", FilterOps.Choice),
        ("connector.institution.country", FilterOps.Choice),
        ("connector.institution.tier", FilterOps.Choice),
        ("connector.institution.type", FilterOps.Equality),
        ("connector.authorization.type", FilterOps.Choice),
        ("connector.connectorEngine", FilterOps.Equality),
    ]);

    private static readonly Dictionary<string, string[]> FilterValues = new(StringComparer.Ordinal)
    {
        ["connector.method"] = ["web", OpenBankingInFilters, "pdf", "csv"],
        ["connector.status"] = [.. Statuses],
        ["connector.stage"] = ["live", "beta", "alpha"],
        ["connector.institution.country"] = [Country, "New Zealand"],
        ["connector.institution.tier"] = ["1", "2", "3", "4"],
        ["connector.institution.type"] =
            ["Bank", "Bank (Foreign)", "Test Bank", "Credit Union", "Financial Services", "Superannuation"],
        ["connector.authorization.type"] = ["user", "user-mfa", "user-mfa-intermittent", "other", "token"],
        ["connector.connectorEngine"] = ["chrome", "node"],
    };

    private static readonly Connector[] OfBanks = Of(Institution.All);
    private static readonly Connector[] OfMoreBanks = Of(Institution.More);

    private static Connector[] Of(IEnumerable<Institution> banks) =>
    [
        .. banks.SelectMany(bank => (Connector[])
        [
            new(bank, OpenBanking, bank.AsksForCode ? "user-mfa" : "token", ConsentEndpoints.Scopes),
            .. bank.Type == "Test Bank"
                ? [new Connector(bank, "web", "user", ConsentEndpoints.Scopes)]
                : (Connector[])[new(bank, "pdf", "other", ["account.basic", "account.detail", "transaction.detail"])],
        ]),
    ];

    private static IEnumerable<Connector> All(SandboxOptions current) => OfBanks.Concat(OfMoreBanks.Take(2 * current.MoreBanks));

    public void Map(ApiRoutes routes)
    {
        routes.Server("GET", "/connectors", List);
        routes.Server("GET", "/connectors/{connectorId}/{method}", Get);
        routes.Open("GET", "/home/banks/{connectorId}.svg", Logo);
    }

    private Task List(HttpContext context, BasiqApplication application)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        if (filter.Terms.Any(t => FilterValues.TryGetValue(t.Field, out var values) && !t.Values.All(values.Contains)))
            return Answers.BadParameter(context, "filter", "The provided filter parameter is in invalid format or unsupported.");
        var current = options.Current;
        var connectors = All(current).Where(c => Passes(c, filter, current)).ToArray();
        return Answers.Json(context, 200, (connectors, current, context.BaseUrl()), static (writer, x) =>
        {
            var (connectors, current, baseUrl) = x;
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("totalCount"u8, connectors.Length);
            writer.WriteStartArray("data"u8);
            foreach (var connector in connectors)
                Write(writer, connector, current, baseUrl);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/connectors");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private Task Get(HttpContext context, BasiqApplication application)
    {
        var id = (string)context.Request.RouteValues["connectorId"]!;
        if (!ConnectorId().IsMatch(id))
            return Answers.BadParameter(context, "connectorId", "ID value is not valid.");
        var method = (string)context.Request.RouteValues["method"]! is var given && given == OpenBankingInFilters ? OpenBanking : given;
        return All(options.Current).FirstOrDefault(c => c.Bank.Id == id && c.Method == method) is { } connector
            ? Answers.Json(context, 200, (connector, options.Current, context.BaseUrl()), static (writer, x) =>
                Write(writer, x.connector, x.Current, x.Item3))
            : Answers.NotFound(context);
    }

    /// <summary>The bank's initial on a plain ground.</summary>
    private static Task Logo(HttpContext context)
    {
        if (Institution.Find((string)context.Request.RouteValues["connectorId"]!) is not { } bank)
            return Answers.NotFound(context);
        context.Response.ContentType = "image/svg+xml";
        return context.Response.WriteAsync(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><rect width=\"64\" height=\"64\" rx=\"12\" fill=\"#1d3f72\"/>"
            + $"<text x=\"32\" y=\"44\" font-family=\"sans-serif\" font-size=\"36\" text-anchor=\"middle\" fill=\"#fff\">{bank.ShortName[..1]}</text></svg>",
            context.RequestAborted);
    }

    private static string StatusOf(Connector connector, SandboxOptions current) =>
        current.ConnectorStatuses.GetValueOrDefault(connector.Bank.Id, Operational);

    private static bool Passes(Connector connector, Filter filter, SandboxOptions current) =>
        filter.Matches("connector.id", connector.Bank.Id)
        && filter.Matches("connector.method", connector.Method == OpenBanking ? OpenBankingInFilters : connector.Method)
        && filter.Matches("connector.status", StatusOf(connector, current))
        && filter.Matches("connector.stage", connector.Bank.Stage)
        && filter.Matches("connector.institution.country", Country)
        && filter.Matches("connector.institution.tier", connector.Bank.Tier)
        && filter.Matches("connector.institution.type", connector.Bank.Type)
        && filter.Matches("connector.authorization.type", connector.Authorization)
        && filter.Matches("connector.connectorEngine", "node")
        && filter.Terms.All(t => t.Field != "connector.scopes" || t.Values.Any(connector.Scopes.Contains) == (t.Op != FilterOps.Ne));

    private static void Write(Utf8JsonWriter writer, Connector connector, SandboxOptions current, string baseUrl)
    {
        var bank = connector.Bank;
        var step = (long)(current.JobDuration / JobProgress.Steps).TotalMilliseconds;
        writer.WriteStartObject();
        writer.WriteString("type"u8, "connector"u8);
        writer.WriteString("id"u8, bank.Id);
        writer.WriteString("method"u8, connector.Method);
        writer.WriteString("stage"u8, bank.Stage);
        writer.WriteString("status"u8, StatusOf(connector, current));
        writer.WriteStartObject("institution"u8);
        writer.WriteString("type"u8, bank.Type);
        writer.WriteString("name"u8, bank.Name);
        writer.WriteString("shortName"u8, bank.ShortName);
        writer.WriteString("tier"u8, bank.Tier);
        writer.WriteString("country"u8, Country);
        if (connector.Method == OpenBanking)
            writer.WriteString("cdrPolicy"u8, $"https://{bank.ShortName.ToLowerInvariant()}.example/cdr-policy");
        writer.WriteStartObject("logo"u8);
        writer.WriteString("type"u8, "image"u8);
        writer.WriteStartObject("links"u8);
        writer.WriteString("full"u8, $"{baseUrl}/home/banks/{bank.Id}.svg");
        writer.WriteString("square"u8, $"{baseUrl}/home/banks/{bank.Id}.svg");
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartArray("scopes"u8);
        foreach (var scope in connector.Scopes)
            writer.WriteStringValue(scope);
        writer.WriteEndArray();
        writer.WriteStartObject("authorization"u8);
        writer.WriteString("type"u8, connector.Authorization);
        writer.WriteEndObject();
        writer.WriteStartObject("stats"u8);
        writer.WriteStartObject("averageDurationMs"u8);
        writer.WriteNumber("verifyCredentials"u8, step);
        writer.WriteNumber("retrieveAccounts"u8, step);
        writer.WriteNumber("retrieveTransactions"u8, step);
        writer.WriteNumber("retrieveMeta"u8, 0);
        writer.WriteNumber("total"u8, step * JobProgress.Steps);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/connectors/{bank.Id}/{connector.Method}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    [GeneratedRegex(@"^[A-Z]{2}[0-9]{5}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ConnectorId();

    private sealed record Connector(Institution Bank, string Method, string Authorization, IReadOnlyList<string> Scopes);
}
