using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Webhooks;

/// <summary>Events of the last days, subscriptions, and messages to them: what <see cref="SandboxState"/> knows beside users.</summary>
internal sealed class NotificationState
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, EventRecord> _events = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WebhookRecord> _webhooks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MessageRecord> _messages = new(StringComparer.Ordinal);

    /// <summary>Held while subscriptions are changed, and while an event is told to them.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Oldest first.</summary>
    public EventRecord[] Events
    {
        get
        {
            lock (_gate)
                return [.. _events.Values.OrderBy(e => e.Created)];
        }
    }

    /// <summary>Oldest first.</summary>
    public WebhookRecord[] Webhooks
    {
        get
        {
            lock (_gate)
                return [.. _webhooks.Values];
        }
    }

    public EventRecord? Event(string id)
    {
        lock (_gate)
            return _events.GetValueOrDefault(id);
    }

    public WebhookRecord? Webhook(string id)
    {
        lock (_gate)
            return _webhooks.GetValueOrDefault(id);
    }

    public MessageRecord? Message(string id)
    {
        lock (_gate)
            return _messages.GetValueOrDefault(id);
    }

    /// <summary>Of one subscription or of all, oldest first.</summary>
    public MessageRecord[] Messages(string? webhookId = null)
    {
        lock (_gate)
            return [.. _messages.Values.Where(m => webhookId is null || m.WebhookId == webhookId).OrderBy(m => m.Created)];
    }

    public void Apply(StateLine line)
    {
        lock (_gate)
        {
            if (line.Event is { } happened)
                _events[happened.Id] = happened;
            foreach (var message in line.Messages ?? [])
            {
                if (_webhooks.ContainsKey(message.WebhookId))
                    _messages[message.Id] = message;
            }

            if (line.Webhook is { } webhook)
                _webhooks[webhook.Id] = webhook;
            if (line.DeletedWebhook is { } id)
            {
                _webhooks.Remove(id);
                RemoveMessages(m => m.WebhookId == id);
            }
        }
    }

    /// <summary>Drops what happened to a user; that the user was deleted comes after.</summary>
    public void Forget(string userId)
    {
        lock (_gate)
        {
            HashSet<string> gone = [.. _events.Values.Where(e => e.UserId == userId).Select(e => e.Id)];
            foreach (var id in gone)
                _events.Remove(id);
            RemoveMessages(m => gone.Contains(m.EventId));
        }
    }

    /// <summary>Drops what is older than events are kept.</summary>
    public void ForgetBefore(DateTimeOffset oldest)
    {
        lock (_gate)
        {
            foreach (var id in _events.Values.Where(e => e.Created < oldest).Select(e => e.Id).ToArray())
                _events.Remove(id);
            RemoveMessages(m => m.Created < oldest);
        }
    }

    public IEnumerable<StateLine> Snapshot()
    {
        lock (_gate)
        {
            return
            [
                .. _webhooks.Values.Select(w => new StateLine { Webhook = w }),
                .. _events.Values.Select(e => new StateLine { Event = e }),
                .. _messages.Values.Select(m => new StateLine { Messages = [m] }),
            ];
        }
    }

    private void RemoveMessages(Func<MessageRecord, bool> isGone)
    {
        foreach (var id in _messages.Values.Where(isGone).Select(m => m.Id).ToArray())
            _messages.Remove(id);
    }
}
