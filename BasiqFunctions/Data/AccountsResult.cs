using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data;

/// <summary><c>{syncId, fetchedAt, fullAsOf?, accounts: […]}</c>.</summary>
internal sealed record AccountsResult(CurrentSnapshot Snapshot) : RawJsonResult
{
    protected override async Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteStartObject();
        writer.WriteString("syncId"u8, SnapshotRun.SyncIdOf(Snapshot.SyncId));
        writer.WriteString("fetchedAt"u8, Snapshot.FetchedAt);
        if (Snapshot.FullAsOf is { } fullAsOf)
            writer.WriteString("fullAsOf"u8, fullAsOf);
        writer.WriteStartArray("accounts"u8);
        foreach (var account in Snapshot.Accounts)
            await WriteRawAsync(writer, account.Raw, cancellationToken);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
