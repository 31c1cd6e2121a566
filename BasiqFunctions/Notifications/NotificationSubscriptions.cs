using System.Collections.Concurrent;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>Keeps where notifications go, and how each receiver does.</summary>
public sealed class NotificationSubscriptions
{
    /// <summary>How long a receiver may fail before it counts as one that is out of order.</summary>
    internal static readonly TimeSpan Failing = TimeSpan.FromDays(1);

    private const string Partition = "subscriptions";
    private const string States = "states";

    private readonly IRecordTable _table;
    private readonly NotificationSecrets _secrets;
    private readonly ReceiverAddresses _addresses;
    private readonly IOptions<NotificationOptions> _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<NotificationSubscriptions> _logger;

    /// <summary>Which receivers fail, as far as this process has met them.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _failing = new(StringComparer.Ordinal);

    internal NotificationSubscriptions(
        IRecordTable table,
        NotificationSecrets secrets,
        ReceiverAddresses addresses,
        IOptions<NotificationOptions> options,
        Instruments instruments,
        TimeProvider clock,
        ILogger<NotificationSubscriptions> logger)
    {
        (_table, _secrets, _addresses, _options, _clock, _logger) = (table, secrets, addresses, options, clock, logger);
        instruments.ObserveFailingReceivers(() => _failing.Values.Count(since => clock.GetUtcNow() - since >= Failing));
    }

    /// <summary>Makes a subscription, or changes it. A new one comes with its secret, and so does one whose secret was to be replaced.</summary>
    /// <exception cref="ProblemException">400 naming the URL; 409 when there are as many as there may be.</exception>
    internal async Task<NotificationSubscription> SetAsync(string name, NotificationSubscriptionRequest asked, CancellationToken cancellation)
    {
        if (_addresses.Refuse(asked.Url) is { } wrong)
            throw new ProblemException(Problem.InvalidInput("url", wrong));
        string? secret = null;
        while (true)
        {
            var found = await _table.FindAsync(Partition, name, cancellation);
            if (found is null && (await _table.ListAsync(Partition, NotificationSubscription.Most, null, cancellation)).Count >= NotificationSubscription.Most)
            {
                throw new ProblemException(Problem.Conflict(
                    ProblemCodes.TooManySubscriptions, $"There are {NotificationSubscription.Most} subscriptions already. Delete one, or change one."));
            }

            // Before the subscription: without a secret nothing could be delivered to it.
            if (found is null || asked.RotateSecret is true)
                secret ??= await _secrets.MakeAsync(name, cancellation);
            var before = found?.Read<NotificationSubscription>();
            var subscription = new NotificationSubscription(name, asked.Url!, asked.Events ?? [], before?.CreatedAt ?? _clock.GetUtcNow());
            var record = new TableRecord(Partition, name, subscription.ToContent()) { ETag = found?.ETag };

            // One that was removed meanwhile has taken its secret along.
            if ((found is null ? await _table.TryAddAsync(record, cancellation) : await _table.TryReplaceAsync(record, cancellation)) is null)
                continue;
            if (before is not null && before.Url != subscription.Url)
                await NoteAsync(name, isFailing: false, cancellation);
            Log.Subscribed(_logger, name);
            return subscription with { Secret = secret };
        }
    }

    /// <summary>Finds one; null when there is none of the name.</summary>
    public async Task<NotificationSubscription?> FindAsync(string name, CancellationToken cancellation) =>
        await _table.FindAsync(Partition, name, cancellation) is { } found
            ? found.Read<NotificationSubscription>() with { FailingSince = await FindFailingAsync(name, cancellation) }
            : null;

    /// <summary>Lists them by name.</summary>
    public async Task<IReadOnlyList<NotificationSubscription>> ListAsync(CancellationToken cancellation)
    {
        var failing = (await _table.ListAllAsync(States, cancellation).ToListAsync(cancellation))
            .ToDictionary(state => state.Row, state => state.Read<ReceiverState>().FailingSince, StringComparer.Ordinal);
        return
        [
            .. (await _table.ListAllAsync(Partition, cancellation).ToListAsync(cancellation))
                .Select(record => record.Read<NotificationSubscription>())
                .Select(subscription => subscription with { FailingSince = failing.TryGetValue(subscription.Name, out var since) ? since : null }),
        ];
    }

    /// <summary>Which ways out get messages of a type: subscriptions, the queue and the topic.</summary>
    internal async Task<IReadOnlyList<string>> ListTakersAsync(string type, CancellationToken cancellation)
    {
        List<string> takers =
        [
            .. (await _table.ListAsync(Partition, NotificationSubscription.Most, null, cancellation))
                .Select(record => record.Read<NotificationSubscription>())
                .Where(subscription => subscription.Takes(type)).Select(subscription => subscription.Name),
        ];
        if (_options.Value.Queue.Length > 0)
            takers.Add(QueueSender.Name);
        if (_options.Value.EventGrid.Length > 0)
            takers.Add(EventGridSender.Name);
        return takers;
    }

    /// <summary>Removes one. What waits to be delivered to it is not delivered any more.</summary>
    /// <returns>False when there was none.</returns>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellation)
    {
        while (await _table.FindAsync(Partition, name, cancellation) is { } found)
        {
            if (await TryRemoveAsync(found, cancellation))
                return true;
        }

        return false;
    }

    /// <summary>Removes one whose receiver wants no more messages.</summary>
    /// <returns>False when it has been removed, or changed, since it had that URL.</returns>
    internal async Task<bool> EndAsync(string name, string url, CancellationToken cancellation) =>
        await _table.FindAsync(Partition, name, cancellation) is { } found
        && found.Read<NotificationSubscription>().Url == url
        && await TryRemoveAsync(found, cancellation);

    /// <summary>Where a receiver is; null when there is none of the name.</summary>
    internal async Task<string?> FindUrlAsync(string name, CancellationToken cancellation) =>
        (await _table.FindAsync(Partition, name, cancellation))?.Read<NotificationSubscription>().Url;

    /// <summary>Notes whether a delivery arrived.</summary>
    internal async Task NoteAsync(string name, bool isFailing, CancellationToken cancellation)
    {
        var since = await FindFailingAsync(name, cancellation);
        if (isFailing)
        {
            var now = _clock.GetUtcNow();
            if (since is null)
                await _table.TryAddAsync(new TableRecord(States, name, new ReceiverState(now).ToContent()), cancellation);
            _failing[name] = since ?? now;
        }
        else
        {
            if (since is not null)
                await _table.RemoveAsync(States, name, cancellation);
            _failing.TryRemove(name, out _);
        }
    }

    private async Task<bool> TryRemoveAsync(TableRecord found, CancellationToken cancellation)
    {
        // Looked up before: whoever subscribes under this name again makes another secret, which stays.
        var secrets = await _secrets.ListAsync(found.Row, cancellation);
        if (!await _table.TryRemoveAsync(found, cancellation))
            return false;
        await _table.RemoveAsync(States, found.Row, cancellation);
        _failing.TryRemove(found.Row, out _);
        await _secrets.RemoveAsync(found.Row, secrets, cancellation);
        return true;
    }

    private async Task<DateTimeOffset?> FindFailingAsync(string name, CancellationToken cancellation) =>
        (await _table.FindAsync(States, name, cancellation))?.Read<ReceiverState>().FailingSince;
}

/// <summary>How a receiver does.</summary>
/// <param name="FailingSince">Since when every delivery has failed.</param>
internal sealed record ReceiverState(DateTimeOffset FailingSince);
