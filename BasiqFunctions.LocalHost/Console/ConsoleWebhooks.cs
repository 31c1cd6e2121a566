using System.Text.Json;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Platform;
using BasiqFunctions.Webhooks;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>The events that Basiq told of last, and what the app did about each. It is known here: Basiq is not asked.</summary>
/// <param name="IsSubscribed">Whether this app has a subscription, as far as it knows.</param>
/// <param name="Webhooks">The newest first.</param>
internal sealed record ConsoleWebhooks(bool IsSubscribed, IReadOnlyList<IncomingWebhook> Webhooks);

/// <summary>An event, each once however often Basiq sends it.</summary>
/// <param name="EventId">Basiq's id of it.</param>
/// <param name="WebhookId">The message that told of it; null for one that was found by the daily look at Basiq's events.</param>
/// <param name="ReceivedAt">When this app heard of it.</param>
/// <param name="State">How far it is.</param>
/// <param name="Type">What happened to what, as Basiq says; null until Basiq has been asked.</param>
/// <param name="Outcome">What the app did, in one of few words.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="ConnectionId">The connection that it is about.</param>
/// <param name="Trouble">The code of what keeps it waiting.</param>
internal sealed record IncomingWebhook(
    string EventId,
    string? WebhookId,
    DateTimeOffset ReceivedAt,
    EventState State,
    string? Type = null,
    string? Outcome = null,
    string? UserId = null,
    string? ConnectionId = null,
    string? Trouble = null)
{
    /// <summary>From the journal's row of the event's orchestration; null where there is none to speak of.</summary>
    public static IncomingWebhook? From(InstanceRecord record)
    {
        if (record.Input is not { } input || JsonSerializer.Deserialize(input, AppJson.Of<EventInput>()) is not { } told)
            return null;
        var handled = record.Output is { } output ? JsonSerializer.Deserialize(output, AppJson.Of<EventHandled>()) : null;
        var handling = EventHandling.From(record.Status, record.CustomStatus, handled);
        return new IncomingWebhook(
            told.EventId, told.WebhookId, record.CreatedAt, handling.State, handled?.Type, handling.Outcome, handled?.UserId, handled?.ConnectionId, handling.Trouble);
    }
}
