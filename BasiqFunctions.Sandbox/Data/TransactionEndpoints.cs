using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>
/// <c>/users/{userId}/transactions</c>: pages, newest first over all the accounts asked for, and one transaction. A page
/// begins after the last transaction of the one before, found by bisection: its cost does not depend on how far in it is.
/// </summary>
internal sealed class TransactionEndpoints(DataViews data, Stats stats)
{
    private const int MaxLimit = 500;

    private static readonly FilterFields Filters = new(
    [
        ("account.id", FilterOps.Equality),
        ("connection.id", FilterOps.Equality),
        ("institution.id", FilterOps.Equality),
        ("transaction.status", FilterOps.Equality),
        ("transaction.direction", FilterOps.Equality),
        ("transaction.class", FilterOps.Equality),
        ("transaction.postDate", FilterOps.Ordering),
    ]);

    public void Map(ApiRoutes routes)
    {
        routes.OfUser("GET", "/users/{userId}/transactions", List);
        routes.OfUser("GET", "/users/{userId}/transactions/{transactionId}", Get);
    }

    private Task List(HttpContext context, UserState user)
    {
        var query = context.Request.Query;
        if (query.TryGetValue("next", out var next))
        {
            return next is [{ } text] && PageToken.TryRead(text, user.Id, out var token) && Filters.Parse(token.Filter) is { } resumed
                ? WritePage(context, user, resumed, token.Limit, token.Last)
                : Answers.BadParameter(context, "next", "The next parameter does not name a page of this user's transactions.");
        }

        var limit = MaxLimit;
        if (query.TryGetValue("limit", out var asked)
            && !(int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit))
        {
            return Answers.BadParameter(context, "limit", "The limit must be a number from 1 to 500.");
        }

        return Filters.TryParse(context, out var filter, out var refusal) ? WritePage(context, user, filter, limit, null) : refusal;
    }

    private Task Get(HttpContext context, UserState user)
    {
        if (Identifier.TryRead((string)context.Request.RouteValues["transactionId"]!, out var high, out var low))
        {
            foreach (var account in data.Accounts(user))
            {
                if (account.IndexOfTransaction(high, low) is >= 0 and var index)
                {
                    return Answers.Json(context, 200, (account, index, user.Id, context.BaseUrl()), static (writer, x) =>
                        new TransactionWriter(writer, x.Id, x.Item4).Write(x.account, x.index));
                }
            }
        }

        return Answers.NotFound(context);
    }

    private async Task WritePage(HttpContext context, UserState user, Filter filter, int limit, Position? after)
    {
        var ranges = Ranges(data.Accounts(user), filter, after);
        var offset = ranges is [var only] ? only.Next : -1;
        var items = new (Range Range, int Index)[limit];
        var count = 0;
        while (count < limit && Take(ranges, filter) is { } item)
            items[count++] = item;
        var hasMore = count == limit && Take(ranges, filter) is not null;
        if (offset >= 0)
            stats.CountPage(ranges[0].Account.Id, offset);

        var baseUrl = context.BaseUrl();
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, Answers.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "list"u8);
        writer.WriteNumber("count"u8, count);
        writer.WriteNumber("size"u8, limit);
        writer.WriteStartArray("data"u8);
        var transactions = new TransactionWriter(writer, user.Id, baseUrl);
        for (var i = 0; i < count; i++)
        {
            transactions.Write(items[i].Range.Account, items[i].Index);
            await Answers.FlushIfMuch(context, writer);
        }

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/users/{user.Id}/transactions{context.Request.QueryString}");
        if (hasMore)
        {
            var (range, index) = items[count - (OddAnswers.IsMarked(context, OddAnswers.ShiftedPage) && count > 1 ? 2 : 1)];
            var last = new Position(range.Account.DayAt(index), range.Ordinal, range.Account.StableNumber(index));
            var next = $"?next={PageToken.Write(user.Id, filter.Text, limit, last)}";
            if (OddAnswers.IsMarked(context, OddAnswers.EndlessPages) && after is not null)
                next = context.Request.QueryString.Value!;
            writer.WriteString("next"u8, $"{baseUrl}/users/{user.Id}/transactions{next}");
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        stats.CountTransactionBytes(writer.BytesCommitted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static List<Range> Ranges(AccountView[] accounts, Filter filter, Position? after)
    {
        List<Range> ranges = [];
        for (var ordinal = 0; ordinal < accounts.Length; ordinal++)
        {
            var account = accounts[ordinal];
            if (!filter.Matches("account.id", account.Id)
                || !filter.Matches("connection.id", account.Connection.Id)
                || !filter.Matches("institution.id", account.Connection.InstitutionId))
            {
                continue;
            }

            var (first, end) = (0, account.Count);
            if (!filter.Matches("transaction.status", "pending"))
                first = account.Source.Pending;
            if (!filter.Matches("transaction.status", "posted"))
                end = account.Source.Pending;
            if (filter.Days("transaction.postDate", account.GivesMoments ? SydneyDays.Begins : null) is { } span)
            {
                // A pending transaction has no post date, so none within any bounds.
                first = Math.Max(first, Math.Max(account.Source.Pending, account.FirstNotAfter(span.To)));
                end = span.From == int.MinValue ? end : Math.Min(end, account.FirstNotAfter(span.From - 1));
            }

            if (after is { } last)
                first = Math.Max(first, FirstAfter(account, ordinal, last));
            ranges.Add(new Range(account, ordinal, first, end));
        }

        return ranges;
    }

    /// <summary>Where an account goes on after a transaction, its own or another's: by day, then by the order of accounts.</summary>
    private static int FirstAfter(AccountView account, int ordinal, Position last)
    {
        if (ordinal == last.Ordinal)
        {
            // A pending transaction that a refresh has replaced: go on behind the pending ones, which were read.
            return account.IndexOf(last.Stable) is >= 0 and var index ? index + 1 : account.Source.Pending;
        }

        return ordinal > last.Ordinal || last.Day == int.MinValue
            ? account.FirstNotAfter(last.Day)
            : account.FirstNotAfter(last.Day - 1);
    }

    private static (Range Range, int Index)? Take(List<Range> ranges, Filter filter)
    {
        while (true)
        {
            Range? newest = null;
            foreach (var range in ranges)
            {
                if (range.Next < range.End && (newest is null || range.Day > newest.Day))
                    newest = range;
            }

            if (newest is null)
                return null;
            var index = newest.Next;
            newest.Advance();
            if (Passes(newest.Account, index, filter))
                return (newest, index);
        }
    }

    private static bool Passes(AccountView account, int index, Filter filter)
    {
        foreach (var term in filter.Terms)
        {
            if (term.Field is "transaction.direction" or "transaction.class")
            {
                var entry = account.EntryAt(index);
                return filter.Matches("transaction.direction", entry.Amount < 0 ? "debit" : "credit")
                    && filter.Matches("transaction.class", entry.Narration.Class.Value);
            }
        }

        return true;
    }

    /// <summary>What of an account is still to come.</summary>
    private sealed class Range
    {
        public Range(AccountView account, int ordinal, int next, int end)
        {
            (Account, Ordinal, Next, End) = (account, ordinal, next, end);
            Day = next < end ? account.DayAt(next) : int.MinValue;
        }

        public AccountView Account { get; }
        public int Ordinal { get; }
        public int Next { get; private set; }
        public int End { get; }
        public int Day { get; private set; }

        public void Advance()
        {
            Next++;
            Day = Next < End ? Account.DayAt(Next) : int.MinValue;
        }
    }
}

/// <summary>A transaction's place in the order of all of a user's.</summary>
internal readonly record struct Position(int Day, int Ordinal, ulong Stable);

/// <summary>The opaque <c>next</c> of a page's link: it holds all the query there was, and for whom.</summary>
internal readonly record struct PageToken(string Filter, int Limit, Position Last)
{
    private const int FixedLength = 8 + 4 + 4 + 4 + 8;

    public static string Write(string userId, string filter, int limit, Position last)
    {
        var token = new byte[FixedLength + Encoding.UTF8.GetByteCount(filter)];
        var span = token.AsSpan();
        BinaryPrimitives.WriteInt32BigEndian(span[8..], limit);
        BinaryPrimitives.WriteInt32BigEndian(span[12..], last.Day);
        BinaryPrimitives.WriteInt32BigEndian(span[16..], last.Ordinal);
        BinaryPrimitives.WriteUInt64BigEndian(span[20..], last.Stable);
        Encoding.UTF8.GetBytes(filter, span[FixedLength..]);
        BinaryPrimitives.WriteUInt64BigEndian(span, Check(userId, span[8..]));
        return Base64Url.EncodeToString(token);
    }

    public static bool TryRead(string text, string userId, out PageToken token)
    {
        token = default;
        byte[] bytes;
        try
        {
            bytes = Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return false;
        }

        if (bytes.Length < FixedLength || BinaryPrimitives.ReadUInt64BigEndian(bytes) != Check(userId, bytes.AsSpan(8)))
            return false;
        var span = bytes.AsSpan();
        token = new PageToken(
            Encoding.UTF8.GetString(span[FixedLength..]),
            BinaryPrimitives.ReadInt32BigEndian(span[8..]),
            new Position(
                BinaryPrimitives.ReadInt32BigEndian(span[12..]),
                BinaryPrimitives.ReadInt32BigEndian(span[16..]),
                BinaryPrimitives.ReadUInt64BigEndian(span[20..])));
        return true;
    }

    private static ulong Check(string userId, ReadOnlySpan<byte> rest)
    {
        var check = Chance.Mix(13, userId);
        foreach (var value in rest)
            check = Chance.Mix(check, value);
        return check;
    }
}

/// <summary>Writes transactions of one user, keeping the links of the account it is at.</summary>
internal sealed class TransactionWriter(Utf8JsonWriter writer, string userId, string baseUrl)
{
    private readonly char[] _self = [.. $"{baseUrl}/users/{userId}/transactions/", .. new string('0', Identifier.Length)];
    private readonly byte[] _date = new byte[SydneyDays.TextLength];
    private AccountView? _account;
    private JsonEncodedText _accountLink;
    private JsonEncodedText _connectionLink;
    private JsonEncodedText _institutionLink;
    private (int Day, bool AsMoment) _day = (-1, false);

    public void Write(AccountView account, int index)
    {
        if (!ReferenceEquals(account, _account))
            Enter(account);
        var entry = account.EntryAt(index);
        var isPending = account.IsPending(index);
        var narration = entry.Narration;
        var id = _self.AsSpan(^Identifier.Length);
        account.WriteTransactionId(id, index);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "transaction"u8);
        writer.WriteString("id"u8, id);
        writer.WriteString("status"u8, isPending ? "pending"u8 : "posted"u8);
        writer.WriteString("description"u8, narration.Description);
        writer.WriteString("reference"u8, ""u8);
        Money.Write(writer, "amount"u8, entry.Amount);
        writer.WriteString("currency"u8, "AUD"u8);
        writer.WriteString("account"u8, account.Id);
        Money.Write(writer, "balance"u8, entry.Balance);
        writer.WriteString("direction"u8, entry.Amount < 0 ? "debit"u8 : "credit"u8);
        writer.WriteString("class"u8, narration.Class);
        writer.WriteString("institution"u8, account.Connection.InstitutionId);
        writer.WriteString("connection"u8, account.Connection.Id);
        SetDate(entry.Day, account.GivesMoments);
        writer.WriteString("transactionDate"u8, _date);
        if (isPending)
            writer.WriteNull("postDate"u8);
        else
            writer.WriteString("postDate"u8, _date);
        writer.WritePropertyName("subClass"u8);
        writer.WriteRawValue(narration.SubClass, skipInputValidation: true);
        if (narration.PaymentDetails is { } details)
        {
            writer.WritePropertyName("paymentDetails"u8);
            writer.WriteRawValue(details, skipInputValidation: true);
        }

        writer.WritePropertyName("enrich"u8);
        writer.WriteRawValue(narration.Enrich, skipInputValidation: true);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, _self);
        writer.WriteString("account"u8, _accountLink);
        writer.WriteString("connection"u8, _connectionLink);
        writer.WriteString("institution"u8, _institutionLink);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void Enter(AccountView account)
    {
        _account = account;
        _accountLink = JsonEncodedText.Encode($"{baseUrl}/users/{userId}/accounts/{account.Id}", Answers.WriterOptions.Encoder);
        _connectionLink = JsonEncodedText.Encode(
            $"{baseUrl}/users/{userId}/connections/{account.Connection.Id}", Answers.WriterOptions.Encoder);
        _institutionLink = JsonEncodedText.Encode(
            $"{baseUrl}/institutions/{account.Connection.InstitutionId}", Answers.WriterOptions.Encoder);
    }

    private void SetDate(int day, bool asMoment)
    {
        if ((day, asMoment) == _day)
            return;
        _day = (day, asMoment);
        var begins = asMoment ? SydneyDays.Begins(day) : DateOnly.FromDayNumber(day).ToDateTime(TimeOnly.MinValue);
        begins.TryFormat(_date, out _, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
