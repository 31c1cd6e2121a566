using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>This app's one subscription of webhooks at Basiq.</summary>
public sealed class Subscriptions : IJobNews
{
    private const string Partition = "subscription";
    private const string Row = "current";
    private const string Active = "active";
    private const string EventTaken = "event-already-subscribed";
    private const int MostDeliveries = 20;

    private readonly IBasiqClient _basiq;
    private readonly WebhookSecrets _secrets;
    private readonly IRecordTable _table;
    private readonly ILogger<Subscriptions> _logger;

    internal Subscriptions(IBasiqClient basiq, WebhookSecrets secrets, IRecordTable table, ILogger<Subscriptions> logger) =>
        (_basiq, _secrets, _table, _logger) = (basiq, secrets, table, logger);

    /// <summary>
    /// Makes the subscription, changes it, or takes over the one that has the URL, and stores the secret that Basiq gave. One that was
    /// just made and cannot be completed is deleted again: this app would refuse its messages.
    /// </summary>
    /// <exception cref="BasiqException">Basiq could not be asked, or refuses.</exception>
    /// <exception cref="ProblemException">409: another subscription is in the way. 503: one is left that could not be completed.</exception>
    public async Task<SubscriptionAnswer> SetAsync(string url, CancellationToken cancellation)
    {
        var kept = await KeptAsync(cancellation);
        var (webhook, isNew) = await PlaceAsync(kept, url, cancellation);
        if (webhook.Secret is null && !(webhook.Id == kept?.WebhookId && await _secrets.AnyAsync(cancellation)))
        {
            // The secret of a subscription that is not known as this app's is in nobody's hands, whatever the vault has, and can only be
            // had anew.
            await RemoveAsync(webhook.Id, cancellation);
            (webhook, isNew) = await CreateAsync(url, cancellation);
        }

        try
        {
            await CompleteAsync(webhook, kept, cancellation);
        }
        catch (Exception e) when (isNew)
        {
            await UndoAsync(webhook.Id, e);
            throw;
        }

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

    /// <summary>The subscription with its last deliveries, and what came of each; null when there is none.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    public async Task<SubscriptionAnswer?> FindAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        if (await FindAtBasiqAsync(await KeptAsync(cancellation), null, cancellation) is not { } webhook)
            return null;
        var messages = await _basiq.ListWebhookMessagesAsync(webhook.Id, MostDeliveries, cancellation);
        var deliveries = messages.Take(MostDeliveries).Select(
            async message => DeliveredOf(message) with { Handling = await EventOrchestration.FindAsync(client, message.EventId, cancellation) });
        return AnswerOf(webhook) with { Deliveries = await Task.WhenAll(deliveries) };
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

    /// <summary>Gives this app's subscription the URL, takes over the one that has it, or makes one.</summary>
    private async Task<(Webhook Webhook, bool IsNew)> PlaceAsync(KeptSubscription? kept, string url, CancellationToken cancellation)
    {
        var webhooks = await _basiq.ListWebhooksAsync(cancellation);
        var ours = webhooks.FirstOrDefault(webhook => webhook.Id == kept?.WebhookId);
        var atUrl = ours is not null && IsAt(ours, url) ? ours : webhooks.FirstOrDefault(webhook => IsAt(webhook, url));
        if (ours is not null && atUrl is not null && ours != atUrl)
        {
            // A URL has one subscription, and so has each type of event: ours makes room for the one that is taken over.
            await RemoveAsync(ours.Id, cancellation);
            ours = null;
        }

        if ((ours ?? atUrl) is { } existing)
            return (await UpdateAsync(existing.Id, url, cancellation), false);

        // What was known as this app's is not there any more.
        await _table.RemoveAsync(Partition, Row, cancellation);
        return await CreateAsync(url, cancellation);
    }

    /// <summary>
    /// An answer to a creation may get lost: then Basiq has the subscription, and says so when it is asked again. One that somebody
    /// else has made meanwhile is taken over.
    /// </summary>
    private async Task<(Webhook Webhook, bool IsNew)> CreateAsync(string url, CancellationToken cancellation)
    {
        try
        {
            return (await _basiq.CreateWebhookAsync(url, EventTypes.Subscribed, cancellation), true);
        }
        catch (BasiqException e)
        {
            var webhooks = await _basiq.ListWebhooksAsync(cancellation);
            if (webhooks.FirstOrDefault(webhook => IsAt(webhook, url)) is not { } found)
            {
                ThrowIfInTheWay(e.Failure, webhooks);
                throw;
            }

            return (await UpdateAsync(found.Id, url, cancellation), e.Failure.StatusCode is not StatusCodes.Status409Conflict);
        }
    }

    private async Task<Webhook> UpdateAsync(string webhookId, string url, CancellationToken cancellation)
    {
        try
        {
            return await _basiq.UpdateWebhookAsync(webhookId, url, EventTypes.Subscribed, cancellation);
        }
        catch (BasiqException e) when (e.Failure is { Code: EventTaken } or { StatusCode: StatusCodes.Status409Conflict })
        {
            ThrowIfInTheWay(e.Failure, [.. (await _basiq.ListWebhooksAsync(cancellation)).Where(webhook => webhook.Id != webhookId)]);
            throw;
        }
    }

    /// <summary>Says which other subscription has what Basiq gives to one alone.</summary>
    private static void ThrowIfInTheWay(BasiqFailure failure, IReadOnlyList<Webhook> others)
    {
        var said = failure.Detail is { } detail ? $" Basiq says: {detail}" : "";
        if (failure.Code is EventTaken)
        {
            var taken = others
                .Select(other => (other.Id, Events: EventTypes.Subscribed.Where(type => other.Events is [] || other.Events.Contains(type)).ToArray()))
                .Where(other => other.Events.Length > 0)
                .Select(other => $"{other.Id} has {string.Join(", ", other.Events)}");
            var named = string.Join("; ", taken) is { Length: > 0 } list ? $" Subscription {list}." : "";
            throw new ProblemException(Problem.Conflict(
                ProblemCodes.EventAlreadySubscribed,
                $"Basiq sends each type of event to one subscription of an application, and another has some that this app needs.{named} "
                + $"Delete it at Basiq, or take those types from it, and try again.{said}"));
        }

        if (failure.StatusCode is StatusCodes.Status409Conflict)
        {
            throw new ProblemException(Problem.Conflict(
                ProblemCodes.SubscriptionExists,
                "Basiq has a subscription of this URL already and does not list it for this API key, so that it cannot be taken over. "
                + $"Delete it with the key that made it, or use another URL.{said}"));
        }
    }

    /// <summary>Stores the secret, then that the subscription is this app's.</summary>
    private async Task CompleteAsync(Webhook webhook, KeptSubscription? kept, CancellationToken cancellation)
    {
        if (webhook.Secret is { } secret)
        {
            if (StandardWebhooks.KeyOf(secret) is null)
                throw Unusable("unusable-webhook-secret");
            await _secrets.StoreAsync(secret, cancellation);
        }
        else if (webhook.Id != kept?.WebhookId)
        {
            throw Unusable("no-webhook-secret");
        }

        await _table.PutAsync(
            new TableRecord(Partition, Row, new KeptSubscription(webhook.Id).ToContent()), cancellation);
    }

    /// <summary>Leaves no subscription whose messages this app would refuse.</summary>
    private async Task UndoAsync(string webhookId, Exception cause)
    {
        try
        {
            // The caller may have gone.
            await RemoveAsync(webhookId, CancellationToken.None);
            Log.SubscriptionUndone(_logger, webhookId, cause.GetType().Name);
        }
        catch (BasiqException e)
        {
            Log.SubscriptionLeft(_logger, webhookId, cause.GetType().Name, e.Failure.ToString());
            throw new ProblemException(new ProblemResult(
                StatusCodes.Status503ServiceUnavailable,
                ProblemCodes.DependencyUnavailable,
                $"Subscription {webhookId} was made at Basiq, its secret could not be stored, and Basiq did not delete it again. "
                + "Its messages are refused until this request succeeds: send it again.")
            {
                RetryAfter = HttpAnswers.DefaultRetryAfter,
            });
        }
    }

    /// <summary>Deletes a subscription, after forgetting that it is this app's, so that no sync waits for its news.</summary>
    private async Task RemoveAsync(string webhookId, CancellationToken cancellation)
    {
        await _table.RemoveAsync(Partition, Row, cancellation);

        // Somebody else may have deleted it.
        await _basiq.DeleteWebhookAsync(webhookId, cancellation).NotFoundAsync();
    }

    /// <summary>Whether a subscription has a URL, however the two are spelled.</summary>
    private static bool IsAt(Webhook webhook, string url) =>
        Uri.TryCreate(webhook.Url, UriKind.Absolute, out var one)
        && Uri.TryCreate(url, UriKind.Absolute, out var other)
        && one.AbsoluteUri.TrimEnd('/') == other.AbsoluteUri.TrimEnd('/');

    private static BasiqException Unusable(string code) => new(new BasiqFailure(BasiqFailureKind.UnusableAnswer, code));

    private async Task<KeptSubscription?> KeptAsync(CancellationToken cancellation) =>
        (await _table.FindAsync(Partition, Row, cancellation))?.Read<KeptSubscription>();

    /// <summary>The one that this app has made, else the one that has the URL.</summary>
    private async Task<Webhook?> FindAtBasiqAsync(KeptSubscription? kept, string? url, CancellationToken cancellation)
    {
        if (kept is null && url is null)
            return null;
        var webhooks = await _basiq.ListWebhooksAsync(cancellation);
        return webhooks.FirstOrDefault(webhook => webhook.Id == kept?.WebhookId)
            ?? (url is null ? null : webhooks.FirstOrDefault(webhook => IsAt(webhook, url)));
    }
}

/// <summary>Which of Basiq's subscriptions is this app's.</summary>
/// <param name="WebhookId">Basiq's id of it.</param>
internal sealed record KeptSubscription(string WebhookId);
