using BasiqFunctions.Basiq;
using BasiqFunctions.Storage;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>This app's one subscription of webhooks at Basiq.</summary>
public sealed class Subscriptions : IJobNews
{
    private const string Partition = "subscription";
    private const string Row = "current";
    private const string Active = "active";
    private const int MostDeliveries = 20;

    private readonly IBasiqClient _basiq;
    private readonly WebhookSecrets _secrets;
    private readonly IRecordTable _table;
    private readonly ILogger<Subscriptions> _logger;

    internal Subscriptions(IBasiqClient basiq, WebhookSecrets secrets, IRecordTable table, ILogger<Subscriptions> logger) =>
        (_basiq, _secrets, _table, _logger) = (basiq, secrets, table, logger);

    /// <summary>Makes the subscription or changes it, and stores the secret that Basiq gave.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked, or refuses.</exception>
    public async Task<SubscriptionAnswer> SetAsync(string url, CancellationToken cancellation)
    {
        var kept = await KeptAsync(cancellation);
        var existing = await FindAtBasiqAsync(kept, url, cancellation);
        var webhook = existing is null
            ? await CreateAsync(url, cancellation)
            : await _basiq.UpdateWebhookAsync(existing.Id, url, EventTypes.Subscribed, cancellation);
        if (webhook.Secret is null && !(webhook.Id == kept?.WebhookId && await _secrets.AnyAsync(cancellation)))
        {
            // The secret of a subscription that is not known as this app's is in nobody's hands, whatever the vault has, and can only be
            // had anew. Until then there is none: whoever counts on news would wait in vain.
            await _table.RemoveAsync(Partition, Row, cancellation);
            await DeleteAsync(webhook.Id, cancellation);
            webhook = await CreateAsync(url, cancellation);
            if (webhook.Secret is null)
                throw Unusable("no-webhook-secret");
        }

        if (webhook.Secret is { } secret)
        {
            if (WebhookSignature.KeyOf(secret) is null)
                throw Unusable("unusable-webhook-secret");
            await _secrets.StoreAsync(secret, cancellation);
        }

        await _table.PutAsync(
            new TableRecord(Partition, Row, new KeptSubscription(webhook.Id).ToContent(WebhooksJson.Default.KeptSubscription)), cancellation);
        Log.Subscribed(_logger, webhook.Id);
        return AnswerOf(webhook);
    }

    /// <summary>Makes or changes the subscription as <see cref="SetAsync"/> does, unless it is in order as it is.</summary>
    /// <returns>Whether anything was changed.</returns>
    /// <exception cref="BasiqException">Basiq could not be asked, or refuses.</exception>
    public async Task<bool> EnsureAsync(string url, CancellationToken cancellation)
    {
        var kept = await KeptAsync(cancellation);
        if (await FindAtBasiqAsync(kept, url, cancellation) is { Status: Active } existing
            && existing.Url == url
            && EventTypes.Subscribed.All(existing.Events.Contains)
            && existing.Id == kept?.WebhookId
            && await _secrets.AnyAsync(cancellation))
            return false;
        await SetAsync(url, cancellation);
        return true;
    }

    /// <summary>The subscription with its last deliveries; null when there is none.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    public async Task<SubscriptionAnswer?> FindAsync(CancellationToken cancellation)
    {
        if (await FindAtBasiqAsync(await KeptAsync(cancellation), null, cancellation) is not { } webhook)
            return null;
        var messages = await _basiq.ListWebhookMessagesAsync(webhook.Id, MostDeliveries, cancellation);
        return AnswerOf(webhook) with { Deliveries = [.. messages.Take(MostDeliveries).Select(DeliveredOf)] };
    }

    /// <summary>Whether there is a subscription, as far as this app knows.</summary>
    public async Task<bool> AreExpectedAsync(CancellationToken cancellation) =>
        await _table.FindAsync(Partition, Row, cancellation) is not null;

    private static SubscriptionAnswer AnswerOf(Webhook webhook) => new(webhook.Id, webhook.Url, webhook.Status, webhook.Events);

    private static WebhookDelivered DeliveredOf(WebhookMessage message)
    {
        var attempts = message.Attempts;
        var last = attempts.OrderByDescending(attempt => attempt.At).FirstOrDefault();
        return new WebhookDelivered(message.Id, message.EventTypeId, message.EventId, attempts.Count, last.At, last.StatusCode, last.Status);
    }

    /// <summary>An answer to a creation may get lost: then Basiq has it, and says so when it is asked again.</summary>
    private async Task<Webhook> CreateAsync(string url, CancellationToken cancellation)
    {
        try
        {
            return await _basiq.CreateWebhookAsync(url, EventTypes.Subscribed, cancellation);
        }
        catch (BasiqException)
        {
            if ((await _basiq.ListWebhooksAsync(cancellation)).FirstOrDefault(webhook => webhook.Url == url) is { } made)
                return await _basiq.UpdateWebhookAsync(made.Id, url, EventTypes.Subscribed, cancellation);
            throw;
        }
    }

    private async Task DeleteAsync(string webhookId, CancellationToken cancellation)
    {
        try
        {
            await _basiq.DeleteWebhookAsync(webhookId, cancellation);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone)
        {
            // Somebody else has.
        }
    }

    private static BasiqException Unusable(string code) => new(new BasiqFailure(BasiqFailureKind.UnusableAnswer, code));

    private async Task<KeptSubscription?> KeptAsync(CancellationToken cancellation) =>
        (await _table.FindAsync(Partition, Row, cancellation))?.Read(WebhooksJson.Default.KeptSubscription);

    /// <summary>The one that this app has made, else the one that has the URL.</summary>
    private async Task<Webhook?> FindAtBasiqAsync(KeptSubscription? kept, string? url, CancellationToken cancellation)
    {
        if (kept is null && url is null)
            return null;
        var webhooks = await _basiq.ListWebhooksAsync(cancellation);
        return webhooks.FirstOrDefault(webhook => webhook.Id == kept?.WebhookId)
            ?? (url is null ? null : webhooks.FirstOrDefault(webhook => webhook.Url == url));
    }
}
