using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data.Changes;

/// <summary><c>{changes: […], accounts?: […], nextCursor, hasMore, dataAsOf}</c>.</summary>
internal sealed record ChangesPageResult(ChangesResult.Page Page, string NextCursor) : RawJsonResult
{
    protected override async Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteStartObject();
        if (!Page.Accounts.IsEmpty)
        {
            writer.WritePropertyName("accounts"u8);
            await WriteRawAsync(writer, Page.Accounts, cancellationToken);
        }

        writer.WritePropertyName("changes"u8);
        await WriteRawAsync(writer, Page.Changes.IsEmpty ? "[]"u8.ToArray() : Page.Changes, cancellationToken);
        writer.WriteString("nextCursor"u8, NextCursor);
        writer.WriteBoolean("hasMore"u8, Page.HasMore);
        writer.WriteString("dataAsOf"u8, Page.DataAsOf);
        writer.WriteEndObject();
    }
}
