using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Basiq;

/// <inheritdoc />
internal sealed class BasiqClient(BasiqTransport transport, IClientTokens clientTokens) : IBasiqClient
{
    /// <summary>Verb and path template of a purge.</summary>
    internal const string PurgeEndpoint = "POST /users/{userId}/connections/{connectionId}/purge";

    private const string ConnectorsEndpoint = "GET /connectors";
    private const string EventsEndpoint = "GET /events";
    private const string TransactionsEndpoint = "GET /users/{userId}/transactions";
    private const string ReportsCreation = "POST /reports";
    private const string ReportsEndpoint = "GET /reports";
    private const int MaxPageSize = 500;

    /// <summary>How far from its end a PDF says that it ends (ISO 32000, 7.5.5), as readers look for it.</summary>
    private const int EndOfPdf = 1_024;

    public Task<User> CreateUserAsync(UserDetails details, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("POST /users") { Content = Json(details), IsRepeatable = false }, BasiqJson.Default.User, cancellationToken);

    public Task<User> GetUserAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("GET /users/{userId}", userId), BasiqJson.Default.User, cancellationToken);

    public Task<User> UpdateUserAsync(UserId userId, UserDetails details, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("POST /users/{userId}", userId) { Content = Json(details) }, BasiqJson.Default.User, cancellationToken);

    public Task DeleteUserAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(new("DELETE /users/{userId}", userId), "user", userId, cancellationToken);

    public Task<ClientToken> CreateClientTokenAsync(UserId userId, CancellationToken cancellationToken = default) =>
        clientTokens.MintAsync(userId, cancellation => GetUserAsync(userId, cancellation), cancellationToken);

    public Task<Job> GetJobAsync(JobId jobId, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("GET /jobs/{jobId}", jobId), BasiqJson.Default.Job, cancellationToken, job => job.Id == jobId);

    public async Task AnswerMfaAsync(UserId userId, JobId jobId, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answers);
        var call = new BasiqCall("POST /jobs/{jobId}/mfa", jobId)
        {
            Content = BasiqTransport.Json(new MfaResponse(answers), BasiqJson.Default.MfaResponse),
            ClientToken = (await CreateClientTokenAsync(userId, cancellationToken)).AccessToken,
            IsRepeatable = false,
        };
        await transport.CallAsync(call, static (_, bytes) => JsonElement.Parse(bytes.Span).RequiredText("id"), cancellationToken);
    }

    public Task<AuthLink> CreateAuthLinkAsync(UserId userId, string? mobile, CancellationToken cancellationToken = default) =>
        transport.GetAsync(
            new("POST /users/{userId}/auth_link", userId)
            {
                Content = BasiqTransport.Json(new AuthLinkRequest(mobile), BasiqJson.Default.AuthLinkRequest),
            },
            BasiqJson.Default.AuthLink,
            cancellationToken,
            link => Uri.TryCreate(link.Links?.Public, UriKind.Absolute, out var target) && target.Scheme is "http" or "https");

    public async Task<IReadOnlyList<Job>> ListJobsAsync(UserId userId, CancellationToken cancellationToken = default)
    {
        var records = await transport.ListRecordsAsync(new("GET /users/{userId}/jobs", userId), cancellationToken);
        return [.. records.Select(Job.Read).OfType<Job>()];
    }

    public Task<IReadOnlyList<Connection>> ListConnectionsAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.ListAsync(new("GET /users/{userId}/connections", userId), BasiqJson.Default.BasiqListConnection, cancellationToken);

    public Task<Connection> GetConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default) =>
        transport.GetAsync(
            new("GET /users/{userId}/connections/{connectionId}", userId, connectionId), BasiqJson.Default.Connection, cancellationToken);

    public Task DeleteConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(
            new("DELETE /users/{userId}/connections/{connectionId}", userId, connectionId), "connection", connectionId, cancellationToken);

    public Task PurgeConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(new(PurgeEndpoint, userId, connectionId), "connection", connectionId, cancellationToken);

    public Task<IReadOnlyList<JobId>> RefreshConnectionAsync(
        UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default) =>
        transport.CallAsync(new("POST /users/{userId}/connections/{connectionId}/refresh", userId, connectionId), JobIds, cancellationToken);

    public Task<IReadOnlyList<Consent>> ListConsentsAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.ListAsync(new("GET /users/{userId}/consents", userId), BasiqJson.Default.BasiqListConsent, cancellationToken);

    public Task DeleteConsentAsync(UserId userId, string consentId, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(new("DELETE /users/{userId}/consents/{consentId}", userId, consentId), "consent", consentId, cancellationToken);

    public Task<IReadOnlyList<Identity>> ListIdentitiesAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.ListAsync(new("GET /users/{userId}/identities", userId), BasiqJson.Default.BasiqListIdentity, cancellationToken);

    public Task<JobId> CreateReportAsync(ReportDetails details, CancellationToken cancellationToken = default) =>
        transport.CallAsync(
            new(ReportsCreation) { Content = BasiqTransport.Json(details, BasiqJson.Default.ReportDetails), IsRepeatable = false },
            static (_, bytes) => new JobId(JsonElement.Parse(bytes.Span).RequiredText("id")),
            cancellationToken);

    public async Task<IReadOnlyList<ReportHeader>> ListReportsAsync(CancellationToken cancellationToken = default) =>
        await ListPagesAsync(new(ReportsEndpoint), cancellationToken).Select(ReportHeader.Read).OfType<ReportHeader>().ToListAsync(cancellationToken);

    public Task<byte[]> GetReportAsync(BasiqReportId id, CancellationToken cancellationToken = default) =>
        transport.CallAsync(
            new("GET /reports/{reportId}", id),
            (_, bytes) => JsonElement.Parse(bytes.Span).Text("id") == id ? bytes.ToArray() : throw new JsonException("Another report."),
            cancellationToken);

    public Task<byte[]> GetReportPdfAsync(BasiqReportId id, CancellationToken cancellationToken = default) =>
        transport.CallAsync(
            new("GET /reports/{reportId}", id) { Accept = "application/pdf" },
            static (_, bytes) => bytes.Span.StartsWith("%PDF-"u8) && bytes.Span[Math.Max(0, bytes.Length - EndOfPdf)..].IndexOf("%%EOF"u8) >= 0
                ? bytes.ToArray()
                : throw new FormatException("Not a whole PDF."),
            cancellationToken);

    public IAsyncEnumerable<JsonElement> ListReportTransactionsAsync(BasiqReportId id, CancellationToken cancellationToken = default) =>
        ListPagesAsync(new("GET /reports/{reportId}/transactions", id), cancellationToken);

    public Task DeleteReportAsync(BasiqReportId id, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(new("DELETE /reports/{reportId}", id), "report", id, cancellationToken);

    public Task<IReadOnlyList<JsonElement>> ListReportTypesAsync(CancellationToken cancellationToken = default) =>
        transport.ListRecordsAsync(new("GET /reports/types"), cancellationToken);

    public Task<BasiqEvent> GetEventAsync(string eventId, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("GET /events/{id}", eventId), BasiqJson.Default.BasiqEvent, cancellationToken);

    public Task<BasiqEventsPage> ListEventsAsync(
        BasiqFilter? filter = null, string? nextLink = null, CancellationToken cancellationToken = default) =>
        transport.CallAsync(
            nextLink is null ? new(EventsEndpoint) { Query = Filtered('?', filter) } : transport.Follow(EventsEndpoint, nextLink),
            static (_, bytes) =>
                JsonSerializer.Deserialize(bytes.Span, BasiqJson.Default.BasiqListBasiqEvent) is { Data: { } data } && data.All(item => item is not null)
                    ? new BasiqEventsPage([.. data.OfType<BasiqEvent>()], JsonElement.Parse(bytes.Span).Text("links", "next"))
                    : throw new JsonException("Something is missing that belongs there."),
            cancellationToken);

    public Task<IReadOnlyList<Webhook>> ListWebhooksAsync(CancellationToken cancellationToken = default) =>
        transport.CallAsync(new("GET /notifications/webhooks"), static (_, bytes) => WebhooksIn(JsonElement.Parse(bytes.Span)), cancellationToken);

    public Task<Webhook> CreateWebhookAsync(string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("POST /notifications/webhooks") { Content = Json(url, events) }, BasiqJson.Default.Webhook, cancellationToken);

    public Task<Webhook> UpdateWebhookAsync(
        string webhookId, string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default) =>
        transport.GetAsync(
            new("POST /notifications/webhooks/{webhookId}", webhookId) { Content = Json(url, events) }, BasiqJson.Default.Webhook, cancellationToken);

    public Task DeleteWebhookAsync(string webhookId, CancellationToken cancellationToken = default) =>
        transport.RemoveAsync(new("DELETE /notifications/webhooks/{webhookId}", webhookId), "webhook", webhookId, cancellationToken);

    public Task<IReadOnlyList<WebhookMessage>> ListWebhookMessagesAsync(
        string webhookId, int limit, CancellationToken cancellationToken = default) =>
        transport.ListAsync(
            new("GET /notifications/webhooks/{webhookId}/messages", webhookId) { Query = Limited(limit) },
            BasiqJson.Default.BasiqListWebhookMessage,
            cancellationToken);

    public async Task<IReadOnlyList<Connector>> ListConnectorsAsync(CancellationToken cancellationToken = default)
    {
        List<Connector> connectors = [];
        HashSet<string> links = new(StringComparer.Ordinal);
        var call = new BasiqCall(ConnectorsEndpoint);
        while (true)
        {
            var (page, next) = await transport.CallAsync(call, static (_, bytes) => ConnectorsPage(JsonElement.Parse(bytes.Span)), cancellationToken);
            connectors.AddRange(page);
            if (next is null)
                break;
            if (!links.Add(next))
                throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "endless-pages") { Endpoint = ConnectorsEndpoint });
            call = transport.Follow(ConnectorsEndpoint, next);
        }

        return connectors.Count > 0
            ? connectors
            : throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "no-connectors") { Endpoint = ConnectorsEndpoint });
    }

    public Task<Connector> GetConnectorAsync(string institutionId, string method, CancellationToken cancellationToken = default) =>
        transport.CallAsync(
            new("GET /connectors/{connectorId}/{method}", institutionId, method is Connector.OpenBanking ? "openbanking" : method),
            static (_, bytes) => Connector.Read(JsonElement.Parse(bytes.Span)) ?? throw new JsonException("A connector without an id or a method."),
            cancellationToken);

    public Task<IReadOnlyList<JsonElement>> ListAccountsAsync(UserId userId, CancellationToken cancellationToken = default) =>
        transport.ListRecordsAsync(new("GET /users/{userId}/accounts", userId), cancellationToken);

    public Task<Account> GetAccountAsync(UserId userId, AccountId accountId, CancellationToken cancellationToken = default) =>
        transport.GetAsync(new("GET /users/{userId}/accounts/{accountId}", userId, accountId), BasiqJson.Default.Account, cancellationToken);

    public Task<TransactionsPage> GetTransactionsPageAsync(
        UserId userId, BasiqFilter? filter = null, int limit = MaxPageSize, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPageSize);
        return transport.CallAsync(
            new(TransactionsEndpoint, userId) { Query = Limited(limit) + Filtered('&', filter) }, Page, cancellationToken);
    }

    public Task<TransactionsPage> GetNextTransactionsPageAsync(string nextLink, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nextLink);
        return transport.CallAsync(transport.Follow(TransactionsEndpoint, nextLink), Page, cancellationToken);
    }

    /// <summary>Reads a list to its end. A link that was followed before leads nowhere.</summary>
    private async IAsyncEnumerable<JsonElement> ListPagesAsync(BasiqCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<string> followed = [];
        while (true)
        {
            var page = await transport.CallAsync(call, static (_, bytes) => JsonElement.Parse(bytes.Span), cancellationToken);
            if (page.ValueKind is not JsonValueKind.Object || !page.TryGetProperty("data", out var data) || data.ValueKind is not JsonValueKind.Array)
                throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "unexpected-shape") { Endpoint = call.Endpoint });
            foreach (var record in data.EnumerateArray())
                yield return record;
            if (page.Text("links", "next") is not { Length: > 0 } next)
                yield break;
            if (!followed.Add(next))
                throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "endless-pages") { Endpoint = call.Endpoint });
            call = transport.Follow(call.Endpoint, next);
        }
    }

    private static ByteArrayContent Json(UserDetails details) => BasiqTransport.Json(details, BasiqJson.Default.UserDetails);

    private static ByteArrayContent Json(string url, IReadOnlyList<string> events) => BasiqTransport.Json(
        new WebhookDetails(nameof(BasiqFunctions), "What ends consents, and what is new at banks.", url, events), BasiqJson.Default.WebhookDetails);

    private static string Limited(int limit) => string.Create(CultureInfo.InvariantCulture, $"?limit={limit}");

    private static string? Filtered(char separator, BasiqFilter? filter) => filter is null ? null : $"{separator}filter={filter.ToQueryValue()}";

    /// <summary>202 lists the jobs that were started; 200 gives the job that is still running, as a list or by itself.</summary>
    private static IReadOnlyList<JobId> JobIds(PooledContent content, ReadOnlyMemory<byte> bytes)
    {
        var root = JsonElement.Parse(bytes.Span);
        if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty("data", out var data))
            return [new(root.RequiredText("id"))];
        JobId[] ids = [.. data.EnumerateArray().Select(job => job.Text("id")).OfType<string>().Where(id => id.Length > 0).Distinct().Select(id => new JobId(id))];
        return ids.Length > 0 || data.GetArrayLength() == 0 ? ids : throw new JsonException("Jobs without 'id'.");
    }

    /// <summary>A list, or, as Basiq's example has it, the one that there is.</summary>
    private static IReadOnlyList<Webhook> WebhooksIn(JsonElement answer) =>
        answer.ValueKind is not JsonValueKind.Object || !answer.TryGetProperty("data", out var data) ? throw new JsonException("A list without 'data'.")
        : data.ValueKind is JsonValueKind.Object ? [Webhook.From(data)]
        : data.ValueKind is JsonValueKind.Array ? [.. data.EnumerateArray().Select(Webhook.From)]
        : throw new JsonException("A list without 'data'.");

    private static (IReadOnlyList<Connector> Connectors, string? NextLink) ConnectorsPage(JsonElement list) =>
        list.ValueKind is JsonValueKind.Object && list.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Array
            ? ([.. data.EnumerateArray().Select(Connector.Read).OfType<Connector>()], list.Text("links", "next"))
            : throw new JsonException("A list without 'data'.");

    private static TransactionsPage Page(PooledContent content, ReadOnlyMemory<byte> bytes)
    {
        var page = TransactionsPage.Parse(bytes);
        page.TakeOver(content.Detach());
        return page;
    }
}
