using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data;

/// <summary><c>{syncId, fetchedAt, fullAsOf?, accounts: […]}</c>.</summary>
internal sealed record AccountsResult(CurrentSnapshot Snapshot) : RawJsonResult
{
    protected override async Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteStartObject();
        writer.WriteString("syncId"u8, SnapshotRun.SyncIdOf(Snapshot.RunId));
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

/// <summary>The answer to a <see cref="TransactionQuery"/>.</summary>
public abstract record TransactionsResult
{
    private TransactionsResult()
    {
    }

    /// <summary>
    /// Transactions as raw JSON (UTF-8), and where to go on; <paramref name="NextCursor"/> is null after the last one.
    /// <paramref name="FullAsOf"/> is when the whole was last fetched that they are part of, <paramref name="Version"/> what tells these
    /// transactions from those before and after them.
    /// </summary>
    public sealed record Page(
        IReadOnlyList<ReadOnlyMemory<byte>> Transactions, Cursor? NextCursor, DateTimeOffset? FullAsOf, string Version) : TransactionsResult;

    /// <summary>The user has no snapshot yet, or the account's transactions were never fetched.</summary>
    public sealed record NoSnapshot : TransactionsResult;

    /// <summary>The current snapshot has no such account.</summary>
    public sealed record AccountNotFound : TransactionsResult;

    /// <summary>The current snapshot has no account of such a connection.</summary>
    public sealed record ConnectionNotFound : TransactionsResult;

    /// <summary>The cursor is of a snapshot that has been replaced: start again without it.</summary>
    public sealed record CursorExpired : TransactionsResult;

    /// <summary>The cursor was not made for this account and these filters, or was changed.</summary>
    public sealed record InvalidCursor : TransactionsResult;
}

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
