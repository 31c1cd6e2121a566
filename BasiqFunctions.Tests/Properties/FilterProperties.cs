using BasiqFunctions.Basiq;
using BasiqFunctions.Sandbox.Platform;
using CsCheck;

namespace BasiqFunctions.Tests.Properties;

/// <summary>What the client builds, the sandbox's parser reads back as it was meant, or the client has refused to build it.</summary>
[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class FilterProperties
{
    private static readonly FilterFields Fields = new(
    [
        ("account.id", FilterOps.Equality), ("connection.id", FilterOps.Equality), ("institution.id", FilterOps.Equality),
        ("transaction.status", FilterOps.Equality), ("transaction.postDate", FilterOps.Ordering),
    ]);

    private static readonly Gen<string> Value = Gen.OneOf(
        Gen.String[1, 40], Gen.String[Gen.Char["abz09-_ .'\"\\(),\u0000\n\u00e9%&="], 1, 12]);

    private static readonly Gen<DateOnly> Day = Gen.Int[0, DateOnly.MaxValue.DayNumber].Select(DateOnly.FromDayNumber);

    private static readonly Gen<(Func<BasiqFilter> Build, FilterTerm Term)> Expression = Gen.OneOf(
        Value.Select(v => ((Func<BasiqFilter>)(() => BasiqFilter.AccountId(new(v))), new FilterTerm("account.id", FilterOps.Eq, [v]))),
        Value.Select(v => ((Func<BasiqFilter>)(() => BasiqFilter.TransactionStatus(v)), new FilterTerm("transaction.status", FilterOps.Eq, [v]))),
        Day.Select(d => ((Func<BasiqFilter>)(() => BasiqFilter.PostedSince(d)), new FilterTerm("transaction.postDate", FilterOps.Gteq, [$"{d:yyyy-MM-dd}"]))),
        Gen.Select(Day, Day).Select(d => (
            (Func<BasiqFilter>)(() => BasiqFilter.PostDateBetween(d.Item1, d.Item2)),
            new FilterTerm("transaction.postDate", FilterOps.Bt, [$"{d.Item1:yyyy-MM-dd}", $"{d.Item2:yyyy-MM-dd}"]))));

    [Fact]
    public void Every_filter_that_can_be_built_is_read_back_as_the_same_terms_and_no_value_adds_one() =>
        Expression.Array[1, 5].Sample(expressions =>
        {
            BasiqFilter filter;
            try
            {
                filter = expressions.Select(e => e.Build()).Aggregate((a, b) => a.And(b));
            }
            catch (ArgumentException)
            {
                return expressions.Any(e => IsRefused(e.Term));
            }

            var parsed = Fields.Parse(Uri.UnescapeDataString(filter.ToQueryValue()));
            return parsed is not null
                && parsed.Terms.Select(Text).SequenceEqual(expressions.Select(e => Text(e.Term)))
                && !expressions.Any(e => IsRefused(e.Term));
        });

    private static string Text(FilterTerm term) => $"{term.Field} {term.Op} {string.Join('\n', term.Values)}";

    private static bool IsRefused(FilterTerm term) =>
        term.Value.Any(c => "'\"\\(),".Contains(c, StringComparison.Ordinal) || char.IsControl(c))
        || (term.Values is [var from, var to] && string.CompareOrdinal(from, to) > 0);
}
