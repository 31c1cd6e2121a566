using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>Takes webhooks that are Basiq's, each event once, and refuses all others.</summary>
/// <remarks>
/// A message is checked, the orchestration of its event is scheduled, and that is all that happens before the answer. One that comes
/// again finds the orchestration, for as long as <see cref="WebhookOptions.RememberFor"/> has it kept.
/// </remarks>
public sealed class WebhookReceiver
{
    /// <summary>Within which a message is answered, so that Basiq has the answer within a second.</summary>
    internal static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(800);

    private readonly WebhookSecrets _secrets;
    private readonly IBasiqAddress _address;
    private readonly Instruments _instruments;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookReceiver> _logger;
    private readonly ConcurrentDictionary<string, LogPace> _refusals = new();
    private readonly LogPace _notTaken;

    internal WebhookReceiver(
        WebhookSecrets secrets, IBasiqAddress address, Instruments instruments, TimeProvider clock, ILogger<WebhookReceiver> logger) =>
        (_secrets, _address, _instruments, _clock, _logger, _notTaken) = (secrets, address, instruments, clock, logger, new LogPace(clock));

    /// <summary>Takes a message, in <see cref="AnswerWithin"/> at most.</summary>
    /// <returns>False when it is refused; nothing has been scheduled then.</returns>
    /// <exception cref="ProblemException">503: its event could not be scheduled in time, so Basiq is to send it again.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps an event from being scheduled, Basiq sends it again.")]
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
            return await CheckAndScheduleAsync(client, signature, body, either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            if (_notTaken.IsDue(out var messages))
                Log.NotTaken(_logger, late.IsCancellationRequested ? "late" : exception.GetType().Name, messages);
            throw new ProblemException(new ProblemResult(
                StatusCodes.Status503ServiceUnavailable, ProblemCodes.DependencyUnavailable, "The message could not be taken in time.")
            {
                RetryAfter = HttpAnswers.DefaultRetryAfter,
            });
        }
    }

    private async Task<bool> CheckAndScheduleAsync(
        DurableTaskClient client, WebhookSignature signature, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var keys = await _secrets.GetKeysAsync(null, cancellation);
        if (!signature.IsOf(body.Span, keys))
        {
            // A secret may have been rotated a moment ago, by another instance or by hand.
            keys = await _secrets.GetKeysAsync(keys, cancellation);
            if (keys.Count == 0)
                return Refuse("no-secret");
            if (!signature.IsOf(body.Span, keys))
                return Refuse("wrong-signature");
        }

        if (WebhookHint.EventIdOf(body, _address) is not { } eventId)
        {
            // Basiq would send it again and again, and in the end nothing else: the daily look at its events makes up for it.
            _instruments.WebhookTaken("unusable");
            Log.Unusable(_logger);
            return true;
        }

        var happened = new EventInput(eventId, RouteId.IsValid(signature.Id) ? signature.Id : null);
        _instruments.WebhookTaken(await EventOrchestration.StartAsync(client, happened, cancellation) ? "accepted" : "duplicate");
        return true;
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

/// <summary>Which event a message hints at. What happened is asked of Basiq: nothing else in a message counts.</summary>
internal static class WebhookHint
{
    private const string EventPath = "/events/";

    /// <summary>
    /// The event's id: of <c>links.event</c>, which must lead to Basiq's own address, or, where there is no such link, of
    /// <c>eventId</c>. Null when the body has no such thing.
    /// </summary>
    public static string? EventIdOf(ReadOnlyMemory<byte> body, IBasiqAddress address)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            var id = root.Text("links", "event") is { } link ? address.PathOf(link) is { } path ? IdOf(path) : null : root.Text("eventId");
            return RouteId.IsValid(id) ? id : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? IdOf(string path) => path.StartsWith(EventPath, StringComparison.Ordinal) ? path[EventPath.Length..] : null;
}
