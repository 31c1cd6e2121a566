namespace BasiqFunctions.Platform.Vault;

/// <summary>Names of the secrets in Key Vault.</summary>
public static class SecretNames
{
    /// <summary>The SERVER_ACCESS token shared by all instances.</summary>
    public const string ServerToken = "basiq-server-token";

    /// <summary>The Basiq API key.</summary>
    public const string ApiKey = "basiq-api-key";

    /// <summary>The key that signs the consent <c>state</c>.</summary>
    public const string ConsentStateKey = "consent-state-key";

    /// <summary>What Basiq signs webhooks with.</summary>
    public const string WebhookSecret = "basiq-webhook-secret";

    /// <summary>The key that signs the cursors of the change feed.</summary>
    public const string ChangeCursorKey = "change-cursor-key";

    /// <summary>The key that seals the answers kept for requests with an <c>Idempotency-Key</c>.</summary>
    public const string IdempotencySealKey = "idempotency-seal-key";

    /// <summary>The key that wraps the keys by which reports are encrypted.</summary>
    public const string ReportKey = "report-key";

    /// <summary>What notifications are signed with, by subscription.</summary>
    public const string NotificationSecrets = "notification-secrets";
}
