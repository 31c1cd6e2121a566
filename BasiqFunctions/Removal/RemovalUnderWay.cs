using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>The answer of a deletion that is done at Basiq and goes on here by itself.</summary>
/// <param name="ReceiptId">The id of its receipt.</param>
/// <param name="Url">Where the receipt is once all is gone; 404 until then.</param>
public sealed record RemovalUnderWay(
    [property: JsonPropertyName("receiptId")] string ReceiptId,
    [property: JsonPropertyName("url")] string Url);
