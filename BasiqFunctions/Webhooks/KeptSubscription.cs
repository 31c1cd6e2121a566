namespace BasiqFunctions.Webhooks;

/// <summary>Which of Basiq's subscriptions is this app's.</summary>
/// <param name="WebhookId">Basiq's id of it.</param>
internal sealed record KeptSubscription(string WebhookId);
