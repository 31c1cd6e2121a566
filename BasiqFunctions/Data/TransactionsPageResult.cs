using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data;

/// <summary><c>{transactions: […], fullAsOf?, nextCursor?}</c>.</summary>
internal sealed record TransactionsPageResult(TransactionsResult.Page Page) : RawJsonResult
{
    protected override async Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("transactions"u8);
        foreach (var transaction in Page.Transactions)
            await WriteRawAsync(writer, transaction, cancellationToken);
        writer.WriteEndArray();
        if (Page.FullAsOf is { } fullAsOf)
            writer.WriteString("fullAsOf"u8, fullAsOf);
        if (Page.NextCursor is { } cursor)
            writer.WriteString("nextCursor"u8, cursor);
        writer.WriteEndObject();
    }
}
