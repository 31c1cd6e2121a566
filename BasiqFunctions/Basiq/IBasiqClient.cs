using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Basiq;

/// <summary>
/// The Basiq API as this app needs it. Every method throws <see cref="BasiqException"/> and nothing else for what goes wrong
/// upstream, and <see cref="OperationCanceledException"/> only when its own token is cancelled. Retries have already happened.
/// </summary>
public interface IBasiqClient
{
    /// <summary>
    /// Creates a user (<c>POST /users</c>). Basiq does not notice duplicates, so it is sent again only when Basiq surely did
    /// not process it; otherwise the failure is <see cref="BasiqFailureKind.OutcomeUnknown"/>.
    /// </summary>
    Task<User> CreateUserAsync(UserDetails details, CancellationToken cancellationToken = default);

    /// <summary>Reads a user (<c>GET /users/{userId}</c>).</summary>
    Task<User> GetUserAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Changes the fields that are given and no others (<c>POST /users/{userId}</c>).</summary>
    Task<User> UpdateUserAsync(UserId userId, UserDetails details, CancellationToken cancellationToken = default);

    /// <summary>Removes a user and all of its data at Basiq for good (<c>DELETE /users/{userId}</c>).</summary>
    Task DeleteUserAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Mints a CLIENT_ACCESS token bound to one user (<c>POST /token</c>), the only token that a browser may get. Basiq refuses an
    /// unknown user as it refuses a key, so after a refusal it is asked for the user: <see cref="BasiqFailureKind.NotFound"/> is
    /// <c>GET /users/{userId}</c>'s answer, never that of <c>POST /token</c>.
    /// </summary>
    Task<ClientToken> CreateClientTokenAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Reads a job (<c>GET /jobs/{jobId}</c>).</summary>
    Task<Job> GetJobAsync(JobId jobId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Answers the challenge of a job (<c>POST /jobs/{jobId}/mfa</c>). Basiq asks for a token of the user's here, which is minted for
    /// the call. An answer counts each time it is sent, so it is sent once: when what became of it is not known, the failure is
    /// <see cref="BasiqFailureKind.OutcomeUnknown"/>.
    /// </summary>
    /// <param name="userId">Whose job it is.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="answers">What the person answered; in no log, whatever happens.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task AnswerMfaAsync(UserId userId, JobId jobId, IReadOnlyList<string> answers, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a link to the consent page that can be sent to a person (<c>POST /users/{userId}/auth_link</c>); an earlier one stops
    /// working.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="mobile">Where the code goes that opens it, E.164; the user's own mobile when null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<AuthLink> CreateAuthLinkAsync(UserId userId, string? mobile, CancellationToken cancellationToken = default);

    /// <summary>Lists a user's jobs of the last 7 days (<c>GET /users/{userId}/jobs</c>), but for what is no job.</summary>
    Task<IReadOnlyList<Job>> ListJobsAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Lists a user's connections (<c>GET /users/{userId}/connections</c>).</summary>
    Task<IReadOnlyList<Connection>> ListConnectionsAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Reads one connection (<c>GET /users/{userId}/connections/{connectionId}</c>).</summary>
    Task<Connection> GetConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default);

    /// <summary>Removes a connection and its data at Basiq (<c>DELETE /users/{userId}/connections/{connectionId}</c>).</summary>
    Task DeleteConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes what Basiq holds of a connection (<c>POST /users/{userId}/connections/{connectionId}/purge</c>), which deleting it does
    /// not. Basiq purges only a connection that is <c>active</c>.
    /// </summary>
    Task PurgeConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks Basiq to refresh one connection and returns the ids of the jobs that do it (one, as documented). While a job is still running, Basiq
    /// answers with that same job.
    /// </summary>
    Task<IReadOnlyList<JobId>> RefreshConnectionAsync(
        UserId userId, ConnectionId connectionId, CancellationToken cancellationToken = default);

    /// <summary>Lists a user's consents (<c>GET /users/{userId}/consents</c>).</summary>
    Task<IReadOnlyList<Consent>> ListConsentsAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Revokes a consent (<c>DELETE /users/{userId}/consents/{consentId}</c>).</summary>
    Task DeleteConsentAsync(UserId userId, string consentId, CancellationToken cancellationToken = default);

    /// <summary>Lists who a user's banks say that the person is (<c>GET /users/{userId}/identities</c>).</summary>
    Task<IReadOnlyList<Identity>> ListIdentitiesAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has a report made (<c>POST /reports</c>) and returns the id of the job that makes it. Each call makes another report, so it is sent
    /// again only when Basiq surely did not process it; otherwise the failure is <see cref="BasiqFailureKind.OutcomeUnknown"/>.
    /// </summary>
    Task<JobId> CreateReportAsync(ReportDetails details, CancellationToken cancellationToken = default);

    /// <summary>Lists the reports of the last 24 hours (<c>GET /reports</c>), all pages.</summary>
    Task<IReadOnlyList<ReportHeader>> ListReportsAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads a report (<c>GET /reports/{reportId}</c>), byte for byte; Basiq has it for 24 hours.</summary>
    Task<byte[]> GetReportAsync(BasiqReportId id, CancellationToken cancellationToken = default);

    /// <summary>Reads a report as PDF.</summary>
    Task<byte[]> GetReportPdfAsync(BasiqReportId id, CancellationToken cancellationToken = default);

    /// <summary>Reads the transactions that a report is about (<c>GET /reports/{reportId}/transactions</c>), page by page: each as Basiq sent it.</summary>
    IAsyncEnumerable<JsonElement> ListReportTransactionsAsync(BasiqReportId id, CancellationToken cancellationToken = default);

    /// <summary>Removes a report at Basiq (<c>DELETE /reports/{reportId}</c>).</summary>
    Task DeleteReportAsync(BasiqReportId id, CancellationToken cancellationToken = default);

    /// <summary>Lists the types of reports that Basiq can make (<c>GET /reports/types</c>).</summary>
    Task<IReadOnlyList<JsonElement>> ListReportTypesAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads an event of the last 7 days (<c>GET /events/{id}</c>).</summary>
    Task<BasiqEvent> GetEventAsync(string eventId, CancellationToken cancellationToken = default);

    /// <summary>Lists the events of the last 7 days (<c>GET /events</c>), a page at a time.</summary>
    /// <param name="filter">Which events; null for all.</param>
    /// <param name="nextLink">
    /// The last page's <see cref="BasiqEventsPage.NextLink"/>, which is never followed to another place than <c>Basiq:BaseUrl</c>; null
    /// for the first.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<BasiqEventsPage> ListEventsAsync(
        BasiqFilter? filter = null, string? nextLink = null, CancellationToken cancellationToken = default);

    /// <summary>Lists the subscriptions of webhooks (<c>GET /notifications/webhooks</c>).</summary>
    Task<IReadOnlyList<Webhook>> ListWebhooksAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes a subscription; the answer has its secret (<c>POST /notifications/webhooks</c>).</summary>
    Task<Webhook> CreateWebhookAsync(string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default);

    /// <summary>Changes a subscription (<c>POST /notifications/webhooks/{webhookId}</c>).</summary>
    Task<Webhook> UpdateWebhookAsync(string webhookId, string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default);

    /// <summary>Removes a subscription (<c>DELETE /notifications/webhooks/{webhookId}</c>).</summary>
    Task DeleteWebhookAsync(string webhookId, CancellationToken cancellationToken = default);

    /// <summary>Lists messages of a subscription (<c>GET /notifications/webhooks/{webhookId}/messages</c>).</summary>
    Task<IReadOnlyList<WebhookMessage>> ListWebhookMessagesAsync(string webhookId, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists the ways to all banks, every page (<c>GET /connectors</c>). A record that is none is left out; a list of none is no answer.
    /// </summary>
    Task<IReadOnlyList<Connector>> ListConnectorsAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads one way to a bank (<c>GET /connectors/{connectorId}/{method}</c>).</summary>
    Task<Connector> GetConnectorAsync(string institutionId, string method, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists a user's accounts, all in one answer (<c>GET /users/{userId}/accounts</c>): the records as they are, for the caller to see
    /// which of them is an account.
    /// </summary>
    Task<IReadOnlyList<JsonElement>> ListAccountsAsync(UserId userId, CancellationToken cancellationToken = default);

    /// <summary>Reads one account (<c>GET /users/{userId}/accounts/{accountId}</c>).</summary>
    Task<Account> GetAccountAsync(UserId userId, AccountId accountId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the first page of a user's transactions (<c>GET /users/{userId}/transactions</c>). The caller disposes the page.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="filter">What to read; everything when null.</param>
    /// <param name="limit">Transactions in a page, 1 to 500 (Basiq's maximum).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<TransactionsPage> GetTransactionsPageAsync(
        UserId userId, BasiqFilter? filter = null, int limit = 500, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the page that <see cref="TransactionsPage.NextLink"/> names. A link to another scheme, host or port than
    /// <c>Basiq:BaseUrl</c> is never followed: the failure's code is <see cref="BasiqFailure.ForeignLinkCode"/>.
    /// </summary>
    Task<TransactionsPage> GetNextTransactionsPageAsync(string nextLink, CancellationToken cancellationToken = default);
}

/// <summary>Mints tokens for users; what does so stands above, beside the API key.</summary>
internal interface IClientTokens
{
    /// <summary>Mints a CLIENT_ACCESS token; <paramref name="lookUpUser"/> fails for a user whom Basiq does not know.</summary>
    Task<ClientToken> MintAsync(UserId userId, Func<CancellationToken, Task> lookUpUser, CancellationToken cancellationToken);
}

/// <summary>Tells links to Basiq from links elsewhere.</summary>
public interface IBasiqAddress
{
    /// <summary>
    /// The path of a link below <c>Basiq:BaseUrl</c>, such as <c>/events/1</c>; null for a link to another scheme, host or port, or with
    /// a user in it.
    /// </summary>
    string? PathOf(string link);
}
