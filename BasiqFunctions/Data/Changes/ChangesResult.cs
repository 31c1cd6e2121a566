using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data.Changes;

/// <summary>The answer to a <see cref="ChangeQuery"/>.</summary>
internal abstract record ChangesResult
{
    private ChangesResult()
    {
    }

    /// <summary>Changes.</summary>
    /// <param name="Changes">Those of transactions, a JSON array.</param>
    /// <param name="Accounts">Those of accounts, a JSON array; empty when there are none.</param>
    /// <param name="Next">Where to go on.</param>
    /// <param name="HasMore">Whether there is more already.</param>
    /// <param name="DataAsOf">When the latest was fetched that the feed has.</param>
    public sealed record Page(ReadOnlyMemory<byte> Changes, ReadOnlyMemory<byte> Accounts, ChangePosition Next, bool HasMore, DateTimeOffset DataAsOf)
        : ChangesResult;

    /// <summary>The user has no snapshot, or not any more.</summary>
    public sealed record NoSnapshot : ChangesResult;

    /// <summary>The current snapshot has no such account to begin with.</summary>
    public sealed record AccountNotFound : ChangesResult;

    /// <summary>What came after the position is not there any more: begin again.</summary>
    /// <param name="Damage">What could not be read, where that is why.</param>
    public sealed record Expired(SnapshotCorruptException? Damage = null) : ChangesResult;
}

/// <summary><c>{changes: […], accounts?: […], nextCursor, hasMore, dataAsOf}</c>.</summary>
internal sealed record ChangesPageResult(ChangesResult.Page Page, Cursor NextCursor) : RawJsonResult
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

/// <summary>What of a user's feed to read.</summary>
/// <param name="Limit">The most changes of transactions, 1 to <see cref="MaxLimit"/>.</param>
/// <param name="After">Where the page before ended; null for the beginning.</param>
/// <param name="AccountId">Only of this account.</param>
internal sealed record ChangeQuery(int Limit, ChangePosition? After = null, AccountId? AccountId = null)
{
    /// <summary>The largest <see cref="Limit"/>.</summary>
    public const int MaxLimit = 500;
}
