namespace BasiqFunctions.Platform.Http;

/// <summary>The <c>code</c>s of problems: part of the contract with callers.</summary>
internal static class ProblemCodes
{
    /// <summary>400: see <c>errors</c>.</summary>
    public const string InvalidInput = "invalid-input";

    /// <summary>400: a consent state that is forged, expired or another user's.</summary>
    public const string InvalidState = "invalid-state";

    /// <summary>404.</summary>
    public const string UserNotFound = "user-not-found";

    /// <summary>404.</summary>
    public const string AccountNotFound = "account-not-found";

    /// <summary>404.</summary>
    public const string ConnectionNotFound = "connection-not-found";

    /// <summary>404: Basiq knows no such bank.</summary>
    public const string InstitutionNotFound = "institution-not-found";

    /// <summary>404.</summary>
    public const string ConsentNotFound = "consent-not-found";

    /// <summary>404.</summary>
    public const string JobNotFound = "job-not-found";

    /// <summary>404.</summary>
    public const string SyncNotFound = "sync-not-found";

    /// <summary>404: no removal of the user's data has left this receipt, or not yet.</summary>
    public const string ReceiptNotFound = "receipt-not-found";

    /// <summary>404: no daily pass that held up removals has this id, or it was too long ago.</summary>
    public const string RemovalNotFound = "removal-not-found";

    /// <summary>404: the user has no such report, or no longer.</summary>
    public const string ReportNotFound = "report-not-found";

    /// <summary>409: the report could not be had.</summary>
    public const string ReportFailed = "report-failed";

    /// <summary>429, with <c>Retry-After</c>: as many reports as Basiq makes in a day have been asked for.</summary>
    public const string ReportLimit = "report-limit";

    /// <summary>500: what is stored of a report cannot be read.</summary>
    public const string ReportDamaged = "report-damaged";

    /// <summary>404: nothing has been fetched for the user or the account yet.</summary>
    public const string NoSnapshot = "no-snapshot";

    /// <summary>404: what had been fetched is gone, since the user's consent has ended.</summary>
    public const string ConsentEnded = "consent-ended";

    /// <summary>409: the cursor is of a snapshot that has been replaced.</summary>
    public const string SnapshotChanged = "snapshot-changed";

    /// <summary>410: what changed after the cursor is not kept any more.</summary>
    public const string CursorExpired = "cursor-expired";

    /// <summary>500: what is stored cannot be read.</summary>
    public const string SnapshotDamaged = "snapshot-damaged";

    /// <summary>409: no bank waits for an answer.</summary>
    public const string NoChallenge = "no-challenge";

    /// <summary>409: the user has nothing to refresh.</summary>
    public const string NoConnections = "no-connections";

    /// <summary>429, with <c>Retry-After</c>: the bank has been visited as often as it may be on a day.</summary>
    public const string RefreshBudgetSpent = "refresh-budget-spent";

    /// <summary>409, with <c>Retry-After</c>: the first request with the key is still under way elsewhere.</summary>
    public const string IdempotencyKeyInUse = "idempotency-key-in-use";

    /// <summary>422: the key came with another request before.</summary>
    public const string IdempotencyKeyReused = "idempotency-key-reused";

    /// <summary>401: a webhook that is not signed as Basiq signs, or is too old.</summary>
    public const string WebhookRefused = "webhook-refused";

    /// <summary>404: Basiq has no subscription of webhooks that this app has made, or the team has none of notifications.</summary>
    public const string SubscriptionNotFound = "subscription-not-found";

    /// <summary>409: another subscription at Basiq has a type of event that this app needs.</summary>
    public const string EventAlreadySubscribed = "event-already-subscribed";

    /// <summary>409: Basiq has a subscription of the URL that this app cannot take over.</summary>
    public const string SubscriptionExists = "subscription-exists";

    /// <summary>409: there are as many subscriptions of notifications as there may be.</summary>
    public const string TooManySubscriptions = "too-many-subscriptions";

    /// <summary>404: no such notification was sent in the last days.</summary>
    public const string DeliveryNotFound = "delivery-not-found";

    /// <summary>408: the request's body did not arrive in time.</summary>
    public const string BodyTimeout = "body-timeout";

    /// <summary>413.</summary>
    public const string BodyTooLarge = "body-too-large";

    /// <summary>415.</summary>
    public const string UnsupportedMediaType = "unsupported-media-type";

    /// <summary>429 or 503, with <c>Retry-After</c>.</summary>
    public const string BasiqOverloaded = "basiq-overloaded";

    /// <summary>502: Basiq refuses our key, or the key lacks a permission.</summary>
    public const string BasiqRefused = "basiq-refused";

    /// <summary>502.</summary>
    public const string BasiqUnusableAnswer = "basiq-unusable-answer";

    /// <summary>503, with <c>Retry-After</c>.</summary>
    public const string BasiqUnavailable = "basiq-unavailable";

    /// <summary>504.</summary>
    public const string BasiqTimeout = "basiq-timeout";

    /// <summary>502 or 504: a user may or may not have been created, a bank may or may not have been answered.</summary>
    public const string OutcomeUnknown = "outcome-unknown";

    /// <summary>503, with <c>Retry-After</c>: Key Vault or a storage does not answer, or cannot be used.</summary>
    public const string DependencyUnavailable = "dependency-unavailable";

    /// <summary>504: this app did not finish in time.</summary>
    public const string Timeout = "timeout";

    /// <summary>500.</summary>
    public const string InternalError = "internal-error";
}
