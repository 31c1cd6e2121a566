using BasiqFunctions.Data;
using CsCheck;

namespace BasiqFunctions.Tests.Properties;

[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class CursorProperties
{
    private static readonly Gen<string> Id = Gen.String[Gen.Char["abcXYZ019_-"], 1, 64];

    private static readonly Gen<TransactionFilter> Filter = Gen.Select(
        Gen.Int[0, 99991231], Gen.Int[0, 99991231], Gen.OneOf<TransactionStatus?>(null, TransactionStatus.Pending, TransactionStatus.Posted),
        (from, to, status) => new TransactionFilter(from, to, status));

    private static readonly Gen<(ManifestTransactions Transactions, TransactionPosition Position)> Place =
        from sync in Id
        from ticks in Gen.Long[0, DateTime.MaxValue.Ticks]
        from pages in Gen.Int[1, 1000].Array[1, 8]
        from segment in Gen.Int[0, pages.Length - 1]
        from page in Gen.Int[0, pages[segment] - 1]
        from index in Gen.Int[0, int.MaxValue]
        select (
            new ManifestTransactions(
                new(sync), new DateTimeOffset(ticks, TimeSpan.Zero), 1, [.. pages.Select(p => new SegmentEntry("a", default, p, 1, 1, 0))]),
            new TransactionPosition(segment, page, index));

    [Fact]
    public void A_cursor_leads_back_to_its_place_and_with_any_single_change_nowhere() =>
        Gen.Select(Id, Id, Filter, Place, Gen.Int[0, 10_000], Gen.Char).Sample((user, account, filter, place, at, with) =>
        {
            var cursor = TransactionCursor.Write(new(user), new(account), filter, place.Transactions, place.Position);
            Assert.Equal(
                (TransactionCursor.Reading.Valid, place.Position),
                (TransactionCursor.Read(cursor, new(user), new(account), filter, place.Transactions, out var read), read));

            var text = cursor.Value;
            var changed = text.ToCharArray();
            at %= changed.Length;
            changed[at] = with == changed[at] ? (char)(with ^ 1) : with;
            string[] forged =
            [
                new(changed), text.Remove(at, 1), text.Insert(at, with.ToString()), text[..at], text + text,
                new([.. text.Select((c, i) => i == at ? (char)(c ^ (1 << (with % 7))) : c)]),
            ];
            foreach (var other in forged)
                Assert.Equal(TransactionCursor.Reading.Invalid, TransactionCursor.Read(new(other), new(user), new(account), filter, place.Transactions, out _));
        });

    [Fact]
    public void A_cursor_opens_nothing_but_what_it_was_made_for() =>
        Gen.Select(Id, Id, Filter, Place, Id, Filter).Sample((user, account, filter, place, other, otherFilter) =>
        {
            var cursor = TransactionCursor.Write(new(user), new(account), filter, place.Transactions, place.Position);
            if (other != user)
                Assert.Equal(TransactionCursor.Reading.Invalid, TransactionCursor.Read(cursor, new(other), new(account), filter, place.Transactions, out _));
            if (other != account)
                Assert.Equal(TransactionCursor.Reading.Invalid, TransactionCursor.Read(cursor, new(user), new(other), filter, place.Transactions, out _));
            if (otherFilter != filter)
                Assert.Equal(TransactionCursor.Reading.Invalid, TransactionCursor.Read(cursor, new(user), new(account), otherFilter, place.Transactions, out _));
            if (other != place.Transactions.RunId)
            {
                Assert.Equal(
                    TransactionCursor.Reading.Expired,
                    TransactionCursor.Read(cursor, new(user), new(account), filter, place.Transactions with { RunId = new(other) }, out _));
            }
        });
}
