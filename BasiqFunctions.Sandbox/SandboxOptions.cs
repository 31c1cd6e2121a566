using System.Globalization;
using BasiqFunctions.Sandbox.Connections;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox;

/// <summary>
/// The knobs of the sandbox, read from the configuration section <c>Sandbox</c> and changeable at run time through
/// <c>/_sandbox/options</c>. Everything random follows <see cref="Seed"/>.
/// </summary>
public sealed class SandboxOptions
{
    /// <summary>The configuration section these options are bound from.</summary>
    public const string SectionName = "Sandbox";

    /// <summary>
    /// The API key of a sandbox that was told none, in Basiq's form: base64 of an id and a secret. Well known: it opens nothing else.
    /// </summary>
    public const string DefaultApiKey =
        "NWE0ZGIwYzUtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOmMwZmZlZTAwLTExMTEtNDExMS04MTExLTAwMDAwMDAwMDAwMQ==";

    /// <summary>The same of another application, which knows none of the first one's users.</summary>
    public const string DefaultOtherApiKey =
        "NWE0ZGIwYzUtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAyOmMwZmZlZTAwLTIyMjItNDIyMi04MjIyLTAwMDAwMDAwMDAwMg==";

    /// <summary>The API key that <c>POST /token</c> accepts, as issued.</summary>
    public string ApiKey { get; set; } = DefaultApiKey;

    /// <summary>
    /// The API key of another application of the same account: <c>POST /token</c> takes it as well, and with its tokens the users
    /// of the first application, and all that is theirs, are not found.
    /// </summary>
    public string OtherApiKey { get; set; } = DefaultOtherApiKey;

    /// <summary>
    /// Holds callers to Basiq's limits: <see cref="TokenRequestLimit"/>, <see cref="SameCredentialsPause"/> and <see cref="RefreshesPerDay"/>.
    /// </summary>
    public bool Strict { get; set; } = true;

    /// <summary>How many token requests a key may make within 5 minutes while <see cref="Strict"/>; Basiq allows 1,500.</summary>
    public int TokenRequestLimit { get; set; } = 1_500;

    /// <summary>
    /// How long after a connection's last log-in another one of the same person with the same credentials is held back while
    /// <see cref="Strict"/>; at Basiq 6 minutes.
    /// </summary>
    public TimeSpan SameCredentialsPause { get; set; } = TimeSpan.FromMinutes(6);

    /// <summary>How often a connection may be refreshed on a day of Sydney's while <see cref="Strict"/>; Basiq says 20 of open banking.</summary>
    public int RefreshesPerDay { get; set; } = 20;

    /// <summary>The account is disabled: <c>POST /token</c> is forbidden.</summary>
    public bool DisabledAccount { get; set; }

    /// <summary>What a token that has expired is answered with: 403, as Basiq's list of errors has it, or 401.</summary>
    public int ExpiredTokenStatus { get; set; } = 403;

    /// <summary>How long every API request waits before it is handled.</summary>
    public TimeSpan Latency { get; set; } = TimeSpan.Zero;

    /// <summary>The share of API requests, 0 to 1, answered 429 before anything is done.</summary>
    public double ShareOf429 { get; set; }

    /// <summary>The share of API requests, 0 to 1, answered 500 before anything is done.</summary>
    public double ShareOf500 { get; set; }

    /// <summary>
    /// The share of API requests, 0 to 1, that are carried out but whose answer is cut in the middle: by turns a body that
    /// ends cleanly half way through its JSON, and a connection closed before the promised length has arrived.
    /// </summary>
    public double ShareOfTruncatedBodies { get; set; }

    /// <summary>
    /// Shares of API requests, 0 to 1, by <see cref="OddAnswers">kind</see>, that get an answer that means something else than it
    /// seems to. Each kind is drawn for by itself, among the requests that it concerns.
    /// </summary>
    public Dictionary<string, double> OddAnswers { get; set; } = [];

    /// <summary>What a 429 asks for in <c>Retry-After</c>, rounded up to whole seconds.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Latency and faults touch only paths that start with this, as <c>/users</c>; null or empty: the whole API.</summary>
    public string? FaultsUnder { get; set; }

    /// <summary>The status of connectors, by institution, of which <c>GET /connectors</c> says other than <c>operational</c>.</summary>
    public Dictionary<string, string> ConnectorStatuses { get; set; } = [];

    /// <summary>How many banks there are in <c>GET /connectors</c> beside those of the consent page, for a list as long as Basiq's.</summary>
    public int MoreBanks { get; set; }

    /// <summary>How long a new job takes, over all of its steps.</summary>
    public TimeSpan JobDuration { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>New jobs stay in their second step for ever.</summary>
    public bool JobsNeverEnd { get; set; }

    /// <summary>How many reports may be made within 24 hours while <see cref="Strict"/>; Basiq allows 1,000.</summary>
    public int ReportLimit { get; set; } = 1_000;

    /// <summary>The share of new reports, 0 to 1, whose job fails.</summary>
    public double ShareOfFailedReports { get; set; }

    /// <summary>
    /// The share of new reports, 0 to 1, that are made although the answer to <c>POST /reports</c> is lost: the connection ends without one.
    /// </summary>
    public double ShareOfLostReportAnswers { get; set; }

    /// <summary>Accounts of each new connection; null: as many as the test user's household has. 0 is a user with no accounts.</summary>
    public int? AccountsPerUser { get; set; }

    /// <summary>Transactions of each account of a new connection, pending ones included; null: a believable year of them.</summary>
    public int? TransactionsPerAccount { get; set; }

    /// <summary>
    /// How often active connections are refreshed in the background, without anybody asking for it (Basiq's "smart cache"); 0 is never.
    /// <c>POST /_sandbox/background-refresh</c> does it once.
    /// </summary>
    public TimeSpan BackgroundRefreshEvery { get; set; }

    /// <summary>Whether connections that were deleted are given, with the status <c>deleted</c>: Basiq's guide has that status, and says not how long.</summary>
    public bool GivesDeletedConnections { get; set; }

    /// <summary>The code with which background refreshes fail, such as <c>user-action-required</c>; null: they fail as others do.</summary>
    public string? BackgroundFailure { get; set; }

    /// <summary>
    /// Transactions that a refresh finds anew on a connection's first account. Once this or one of the next three knobs is not 0, it also
    /// finds what was pending there posted, under a new id.
    /// </summary>
    public int NewTransactions { get; set; }

    /// <summary>Transactions that a refresh finds with a day <see cref="BackDatedDays"/> ago: the bank posted them late.</summary>
    public int BackDatedTransactions { get; set; }

    /// <summary>How many days ago back-dated transactions were.</summary>
    public int BackDatedDays { get; set; } = 3;

    /// <summary>Posted transactions, of the newest hundred, that a refresh finds worded otherwise.</summary>
    public int EditedTransactions { get; set; }

    /// <summary>How long a new token lives.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What data of new connections, and the sequence of faults, are derived from.</summary>
    public int Seed { get; set; } = 20240611;

    /// <summary>How long a consent lasts from when it is given or extended; Australia's Consumer Data Right allows a year at most.</summary>
    public TimeSpan ConsentLifetime { get; set; } = TimeSpan.FromDays(365);

    /// <summary>How long before the end of a consent its <c>consent.warning</c> is raised; one that lasts no longer gets none.</summary>
    public TimeSpan ConsentWarning { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long a bank that asks for a code waits for it before the job fails.</summary>
    public TimeSpan MfaExpiry { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Whether webhooks are sent. While it is false, what happens is told to nobody, also not later: <c>GET /events</c> knows it.
    /// </summary>
    public bool Webhooks { get; set; } = true;

    /// <summary>
    /// What Basiq's waits between the attempts of a delivery are multiplied by: 1 keeps them (5 s up to 10 h), 0.001 makes
    /// the longest of them 36 s.
    /// </summary>
    public double WebhookRetryScale { get; set; } = 1;

    /// <summary>Where the consent page sends the browser back to: the redirect URL that one sets in Basiq's dashboard.</summary>
    public string ReturnUrl { get; set; } = "http://localhost:7071/api/consent/return";

    /// <summary>A file that users, connections, jobs and consents are kept in across restarts; null: memory only.</summary>
    public string? StateFile { get; set; }

    /// <summary>Says what is wrong with these values, naming each, in sentences for a person; empty when all are good.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];

        void Require(bool good, string name, object? value, string rule)
        {
            if (!good)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{SectionName}:{name} is '{value}', but must be {rule}."));
        }

        Require(!string.IsNullOrWhiteSpace(ApiKey), nameof(ApiKey), ApiKey, "a text that is not blank");
        Require(
            !string.IsNullOrWhiteSpace(OtherApiKey) && OtherApiKey != ApiKey,
            nameof(OtherApiKey),
            OtherApiKey,
            "a text that is not blank and not the ApiKey");
        Require(TokenRequestLimit > 0, nameof(TokenRequestLimit), TokenRequestLimit, "more than 0");
        Require(
            SameCredentialsPause >= TimeSpan.Zero && SameCredentialsPause <= TimeSpan.FromHours(1),
            nameof(SameCredentialsPause),
            SameCredentialsPause,
            "from 0 to an hour");
        Require(RefreshesPerDay > 0, nameof(RefreshesPerDay), RefreshesPerDay, "more than 0");
        Require(ExpiredTokenStatus is 401 or 403, nameof(ExpiredTokenStatus), ExpiredTokenStatus, "401 or 403");
        Require(Latency >= TimeSpan.Zero && Latency <= TimeSpan.FromMinutes(10), nameof(Latency), Latency, "from 0 to 10 minutes");
        Require(ShareOf429 is >= 0 and <= 1, nameof(ShareOf429), ShareOf429, "from 0 to 1");
        Require(ShareOf500 is >= 0 and <= 1, nameof(ShareOf500), ShareOf500, "from 0 to 1");
        Require(
            ShareOfTruncatedBodies is >= 0 and <= 1, nameof(ShareOfTruncatedBodies), ShareOfTruncatedBodies, "from 0 to 1");
        if (problems.Count == 0)
        {
            var sum = ShareOf429 + ShareOf500 + ShareOfTruncatedBodies;
            Require(
                sum <= 1, nameof(ShareOf429), ShareOf429, "small enough that it, ShareOf500 and ShareOfTruncatedBodies make at most 1");
        }

        foreach (var (kind, share) in OddAnswers)
        {
            var name = $"{nameof(OddAnswers)}:{kind}";
            Require(Control.OddAnswers.Kinds.Contains(kind), name, share, $"of a kind that exists: {string.Join(", ", Control.OddAnswers.Kinds)}");
            Require(share is >= 0 and <= 1, name, share, "from 0 to 1");
        }

        Require(MoreBanks >= 0 && MoreBanks <= Institution.More.Count, nameof(MoreBanks), MoreBanks, $"from 0 to {Institution.More.Count}");
        foreach (var (institution, status) in ConnectorStatuses)
        {
            var name = $"{nameof(ConnectorStatuses)}:{institution}";
            Require(Institution.Find(institution) is not null, name, status, "of an institution of the sandbox");
            Require(Connectors.Statuses.Contains(status), name, status, $"one of {string.Join(", ", Connectors.Statuses)}");
        }

        Require(RetryAfter >= TimeSpan.Zero, nameof(RetryAfter), RetryAfter, "zero or longer");
        Require(
            string.IsNullOrEmpty(FaultsUnder) || FaultsUnder.StartsWith('/'),
            nameof(FaultsUnder),
            FaultsUnder,
            "a path that starts with '/'");
        Require(JobDuration >= TimeSpan.Zero, nameof(JobDuration), JobDuration, "zero or longer");
        Require(ReportLimit > 0, nameof(ReportLimit), ReportLimit, "more than 0");
        Require(ShareOfFailedReports is >= 0 and <= 1, nameof(ShareOfFailedReports), ShareOfFailedReports, "from 0 to 1");
        Require(
            ShareOfLostReportAnswers is >= 0 and <= 1, nameof(ShareOfLostReportAnswers), ShareOfLostReportAnswers, "from 0 to 1");
        Require(AccountsPerUser is null or (>= 0 and <= 10_000), nameof(AccountsPerUser), AccountsPerUser, "from 0 to 10,000");
        Require(
            TransactionsPerAccount is null or (>= 0 and <= 100_000_000),
            nameof(TransactionsPerAccount),
            TransactionsPerAccount,
            "from 0 to 100,000,000");
        Require(
            BackgroundRefreshEvery == TimeSpan.Zero || (BackgroundRefreshEvery >= TimeSpan.FromSeconds(1) && BackgroundRefreshEvery <= TimeSpan.FromDays(30)),
            nameof(BackgroundRefreshEvery),
            BackgroundRefreshEvery,
            "0, or from a second to 30 days");
        Require(NewTransactions is >= 0 and <= 10_000, nameof(NewTransactions), NewTransactions, "from 0 to 10,000");
        Require(BackDatedTransactions is >= 0 and <= 10_000, nameof(BackDatedTransactions), BackDatedTransactions, "from 0 to 10,000");
        Require(BackDatedDays is >= 0 and <= 3_650, nameof(BackDatedDays), BackDatedDays, "from 0 to 3,650");
        Require(EditedTransactions is >= 0 and <= 100, nameof(EditedTransactions), EditedTransactions, "from 0 to 100");
        Require(
            TokenLifetime > TimeSpan.Zero && TokenLifetime <= TimeSpan.FromDays(365),
            nameof(TokenLifetime),
            TokenLifetime,
            "longer than 0 and at most 365 days");
        Require(
            ConsentLifetime > TimeSpan.Zero && ConsentLifetime <= TimeSpan.FromDays(365),
            nameof(ConsentLifetime),
            ConsentLifetime,
            "longer than 0 and at most 365 days");
        Require(ConsentWarning >= TimeSpan.Zero, nameof(ConsentWarning), ConsentWarning, "zero or longer");
        Require(
            MfaExpiry > TimeSpan.Zero && MfaExpiry <= TimeSpan.FromDays(1), nameof(MfaExpiry), MfaExpiry, "longer than 0 and at most a day");
        Require(WebhookRetryScale is >= 0 and <= 1, nameof(WebhookRetryScale), WebhookRetryScale, "from 0 to 1");
        Require(
            Uri.TryCreate(ReturnUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https",
            nameof(ReturnUrl),
            ReturnUrl,
            "an absolute http or https URL");
        return problems;
    }

    internal SandboxOptions Copy() => (SandboxOptions)MemberwiseClone();
}
