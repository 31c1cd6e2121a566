using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Http;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>Takes webhooks that are Basiq's, each once, and refuses all others.</summary>
/// <remarks>
/// Before the answer a message is checked and written down, and nothing else has to happen: what it takes is scheduled while there is
/// time, and otherwise after the answer or by <see cref="RetakeEvents"/>.
/// </remarks>
public sealed class WebhookReceiver
{
    /// <summary>Within which a message is answered, so that Basiq has the answer within a second.</summary>
    internal static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(800);

    private const string Messages = "message";

    private readonly WebhookSecrets _secrets;
    private readonly EventIntake _intake;
    private readonly IRecordTable _table;
    private readonly IBasiqAddress _address;
    private readonly WebhookOptions _options;
    private readonly Instruments _instruments;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookReceiver> _logger;
    private readonly ConcurrentDictionary<string, LogPace> _refusals = new();

    internal WebhookReceiver(
        WebhookSecrets secrets,
        EventIntake intake,
        IRecordTable table,
        IBasiqAddress address,
        IOptions<WebhookOptions> options,
        Instruments instruments,
        TimeProvider clock,
        ILogger<WebhookReceiver> logger) =>
        (_secrets, _intake, _table, _address, _options, _instruments, _clock, _logger) =
        (secrets, intake, table, address, options.Value, instruments, clock, logger);

    /// <summary>Takes a message, in <see cref="AnswerWithin"/> at most.</summary>
    /// <returns>False when it is refused; nothing has been recorded then.</returns>
    /// <exception cref="ProblemException">503: it could not be written down in time, so Basiq is to send it again.</exception>
    public async Task<bool> TakeAsync(
        DurableTaskClient client, IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (WebhookSignature.Read(headers) is not { } signature)
            return Refuse("malformed-headers");
        if (!signature.IsCurrent(_clock.GetUtcNow()))
            return Refuse("stale");
        using var late = new CancellationTokenSource(AnswerWithin, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            // What is slow may also be slow to heed its cancellation.
            var (isBasiqs, happened) = await RecordAsync(signature, body, either.Token).WaitAsync(either.Token);
            if (happened is not null)
                await ScheduleAsync(client, happened, late.Token);
            return isBasiqs;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            Log.Late(_logger);
            throw new ProblemException(new ProblemResult(
                StatusCodes.Status503ServiceUnavailable, ProblemCodes.DependencyUnavailable, "The message could not be written down in time.")
            {
                RetryAfter = HttpAnswers.DefaultRetryAfter,
            });
        }
    }

    /// <summary>Checks a message, and writes it down with its event.</summary>
    /// <returns>Whether it is Basiq's, and the event that is to be scheduled, where one is.</returns>
    private async Task<(bool IsBasiqs, EventInput? Event)> RecordAsync(
        WebhookSignature signature, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var keys = await _secrets.GetKeysAsync(null, cancellation);
        if (!signature.IsOf(body.Span, keys))
        {
            // A secret may have been rotated a moment ago, by another instance or by hand.
            keys = await _secrets.GetKeysAsync(keys, cancellation);
            if (keys.Count == 0)
                return (Refuse("no-secret"), null);
            if (!signature.IsOf(body.Span, keys))
                return (Refuse("wrong-signature"), null);
        }

        // Hashed: Basiq may name a message by whatever it likes.
        var row = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(signature.Id)));
        var known = await _table.FindAsync(Messages, row, cancellation);
        if (known?.IsLiveAt(_clock.GetUtcNow()) is true)
        {
            _instruments.WebhookTaken("duplicate");
            return (true, null);
        }

        if (WebhookHint.EventIdOf(body, _address) is not { } eventId)
        {
            // Basiq would send it again and again, and in the end nothing else: the daily look at its events makes up for it.
            _instruments.WebhookTaken("unusable");
            Log.Unusable(_logger);
            return (true, null);
        }

        // The event first: a message that is known is taken for one whose event is not lost.
        var happened = new EventInput(eventId, RouteId.IsValid(signature.Id) ? signature.Id : null);
        var isNew = await _intake.RecordAsync(happened, cancellation);
        var message = new TableRecord(Messages, row, []) { ExpiresAt = _clock.GetUtcNow() + _options.RememberFor, ETag = known?.ETag };
        _ = known is null ? await _table.TryAddAsync(message, cancellation) : await _table.TryReplaceAsync(message, cancellation);
        _instruments.WebhookTaken(isNew ? "accepted" : "duplicate");
        return (true, isNew ? happened : null);
    }

    /// <summary>Schedules an event that is written down; whoever waits does so only until a moment, and scheduling goes on.</summary>
    private async Task ScheduleAsync(DurableTaskClient client, EventInput happened, CancellationToken until)
    {
        try
        {
            await _intake.TryStartAsync(client, happened, CancellationToken.None).WaitAsync(until);
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // It is written down, and that is what the answer says.
        }
    }

    private bool Refuse(string reason)
    {
        _instruments.WebhookRefused(reason);

        // Anybody can send what is refused, as often as they like.
        if (_refusals.GetOrAdd(reason, static (_, clock) => new LogPace(clock), _clock).IsDue(out var messages))
            Log.Refused(_logger, messages, reason);
        return false;
    }
}
