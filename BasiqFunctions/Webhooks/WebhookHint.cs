using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Webhooks;

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
