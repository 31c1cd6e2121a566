using System.Buffers;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// One page of transactions: the bytes of Basiq's answer and where each transaction lies in them, so that storing a page makes
/// no object per transaction. Dispose it: its memory is pooled, and what it handed out is invalid from then on.
/// </summary>
public sealed class TransactionsPage : IDisposable
{
    private RawTransaction[]? _items;
    private byte[]? _pooledBytes;

    private TransactionsPage(RawTransaction[] items, int count, int skipped, string? nextLink) =>
        (_items, Count, Skipped, NextLink) = (items, count, skipped, nextLink);

    /// <summary>How many transactions are in the page.</summary>
    public int Count { get; }

    /// <summary>How many records it has that are no transactions with an <c>id</c>.</summary>
    public int Skipped { get; }

    /// <summary>The transactions in Basiq's order.</summary>
    /// <exception cref="ObjectDisposedException">The page has been disposed.</exception>
    public ReadOnlyMemory<RawTransaction> Items
    {
        get
        {
            ObjectDisposedException.ThrowIf(_items is null, this);
            return _items.AsMemory(0, Count);
        }
    }

    /// <summary>
    /// Link of the next page, null on the last. Follow it with <see cref="IBasiqClient.GetNextTransactionsPageAsync"/>, which
    /// checks where it leads.
    /// </summary>
    public string? NextLink { get; }

    /// <summary>Reads a page from its JSON, which the page keeps and does not copy.</summary>
    /// <exception cref="JsonException">
    /// It is not a list of transactions, none of its records can be read, or what comes after it cannot be told.
    /// </exception>
    public static TransactionsPage Parse(ReadOnlyMemory<byte> json)
    {
        var items = ArrayPool<RawTransaction>.Shared.Rent(512);
        int count = 0, skipped = 0;
        try
        {
            var nextLink = Read(json, ref items, ref count, ref skipped);
            return count > 0 || skipped == 0
                ? new(items, count, skipped, nextLink)
                : throw new JsonException("A list of transactions without 'id'.");
        }
        catch (Exception exception)
        {
            ArrayPool<RawTransaction>.Shared.Return(items, clearArray: true);
            if (exception is InvalidOperationException)
                throw new JsonException("Text that is not valid Unicode.");
            throw;
        }
    }

    /// <summary>Walks the transactions.</summary>
    public ReadOnlySpan<RawTransaction>.Enumerator GetEnumerator() => Items.Span.GetEnumerator();

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _items, null) is { } items)
            ArrayPool<RawTransaction>.Shared.Return(items, clearArray: true);
        if (Interlocked.Exchange(ref _pooledBytes, null) is { } bytes)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Takes over the pooled array that the page was read from.</summary>
    internal void TakeOver(byte[] pooledBytes) => _pooledBytes = pooledBytes;

    private static string? Read(ReadOnlyMemory<byte> json, ref RawTransaction[] items, ref int count, ref int skipped)
    {
        var reader = new Utf8JsonReader(json.Span);
        string? nextLink = null;
        var hasData = false;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("data"u8))
            {
                hasData = true;
                ReadItems(ref reader, json, ref items, ref count, ref skipped);
            }
            else if (reader.ValueTextEquals("links"u8))
            {
                nextLink = ReadNextLink(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        while (reader.Read())
        {
            // What follows the object is read too: the reader throws if it is more than white space.
        }

        return hasData ? nextLink : throw new JsonException("A list without 'data'.");
    }

    private static void ReadItems(
        ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, ref RawTransaction[] items, ref int count, ref int skipped)
    {
        Expect(ref reader, JsonTokenType.StartArray);
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (ReadItem(ref reader, json) is not { } item)
            {
                skipped++;
                continue;
            }

            if (count == items.Length)
            {
                var larger = ArrayPool<RawTransaction>.Shared.Rent(count * 2);
                items.CopyTo(larger, 0);
                ArrayPool<RawTransaction>.Shared.Return(items, clearArray: true);
                items = larger;
            }

            items[count++] = item;
        }
    }

    /// <summary>Reads a record; null when it is no object with an <c>id</c>.</summary>
    private static RawTransaction? ReadItem(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        var start = (int)reader.TokenStartIndex;
        ReadOnlyMemory<byte> id = default, account = default, status = default, postDate = default, transactionDate = default;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8))
                id = ReadText(ref reader, json);
            else if (reader.ValueTextEquals("account"u8))
                account = ReadText(ref reader, json);
            else if (reader.ValueTextEquals("status"u8))
                status = ReadText(ref reader, json);
            else if (reader.ValueTextEquals("postDate"u8))
                postDate = ReadText(ref reader, json);
            else if (reader.ValueTextEquals("transactionDate"u8))
                transactionDate = ReadText(ref reader, json);
            else
                reader.Skip();
        }

        return id.IsEmpty
            ? null
            : new RawTransaction(json[start..(int)reader.BytesConsumed], id, account, status, postDate, transactionDate);
    }

    /// <summary>The text of the value that comes next, in place unless it holds escapes; empty when it is not text.</summary>
    private static ReadOnlyMemory<byte> ReadText(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.String)
        {
            reader.Skip();
            return default;
        }

        if (!reader.ValueIsEscaped)
            return json.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
        var unescaped = new byte[reader.ValueSpan.Length];
        return unescaped.AsMemory(0, reader.CopyString(unescaped));
    }

    /// <summary>Reads the link of the next page. One that cannot be read is not the end of the list: pages may be missing.</summary>
    private static string? ReadNextLink(ref Utf8JsonReader reader)
    {
        string? nextLink = null;
        reader.Read();
        if (reader.TokenType is JsonTokenType.Null)
            return null;
        if (reader.TokenType is not JsonTokenType.StartObject)
            throw new JsonException("'links' is no object.");
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isNext = reader.ValueTextEquals("next"u8);
            reader.Read();
            if (!isNext)
                reader.Skip();
            else if (reader.TokenType is JsonTokenType.String or JsonTokenType.Null)
                nextLink = reader.GetString() is { Length: > 0 } link ? link : null;
            else
                throw new JsonException("'links.next' is no text.");
        }

        return nextLink;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType expected)
    {
        if (!reader.Read() || reader.TokenType != expected)
            throw new JsonException($"Expected {expected}.");
    }
}

/// <summary>
/// One transaction inside a <see cref="TransactionsPage"/>: its bytes as received and the few fields needed to store it. Valid
/// until the page is disposed. A field that is missing or null is empty.
/// </summary>
/// <param name="Json">The whole object, UTF-8.</param>
/// <param name="Id">Id, UTF-8.</param>
/// <param name="AccountId">The account's id, UTF-8.</param>
/// <param name="Status"><c>pending</c> or <c>posted</c>, UTF-8.</param>
/// <param name="PostDate">As sent, ISO 8601, UTF-8.</param>
/// <param name="TransactionDate">As sent, ISO 8601, UTF-8.</param>
public readonly record struct RawTransaction(
    ReadOnlyMemory<byte> Json,
    ReadOnlyMemory<byte> Id,
    ReadOnlyMemory<byte> AccountId,
    ReadOnlyMemory<byte> Status,
    ReadOnlyMemory<byte> PostDate,
    ReadOnlyMemory<byte> TransactionDate)
{
    /// <summary>Whether it is pending: its id changes at every refresh.</summary>
    public bool IsPending => Status.Span.SequenceEqual("pending"u8);

    /// <summary>The id alone: the rest is personal data.</summary>
    public override string ToString() => $"{nameof(RawTransaction)} {Encoding.UTF8.GetString(Id.Span)}";
}
