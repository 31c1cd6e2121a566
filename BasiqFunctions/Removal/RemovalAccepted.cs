using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Removal;

/// <summary>The answer of everything that removes: 204 when all is gone, else 202 and where the receipt will be.</summary>
internal static class RemovalAccepted
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>204, or 202 with <c>Location</c> and <c>Retry-After</c> for a removal that goes on by itself.</summary>
    public static IResult For(RemovalAsked? removal)
    {
        if (removal is null or { HasEnded: true })
            return Results.NoContent();
        var url = $"/api/users/{Uri.EscapeDataString(removal.UserId)}/deletion-receipts/{removal.ReceiptId}";
        return new JsonAnswer<RemovalUnderWay>(
            StatusCodes.Status202Accepted, new RemovalUnderWay(removal.ReceiptId, url))
        {
            Location = url,
            RetryAfter = AskAgainAfter,
        };
    }
}

/// <summary>The answer of a deletion that goes on by itself.</summary>
/// <param name="ReceiptId">The id of its receipt.</param>
/// <param name="Url">Where the receipt is once all is gone; 404 until then.</param>
public sealed record RemovalUnderWay(
    [property: JsonPropertyName("receiptId")] string ReceiptId,
    [property: JsonPropertyName("url")] string Url);
