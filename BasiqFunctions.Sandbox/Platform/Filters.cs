using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace BasiqFunctions.Sandbox.Platform;

[Flags]
internal enum FilterOps
{
    None = 0,
    Eq = 1,
    Ne = 2,
    Bt = 4,
    Gt = 8,
    Gteq = 16,
    Lt = 32,
    Lteq = 64,
    In = 128,
    Equality = Eq | Ne,
    Choice = Eq | Ne | In,
    Ordering = Eq | Bt | Gt | Gteq | Lt | Lteq,
}

/// <summary>One condition, as <c>transaction.postDate.bt('2024-01-01','2024-06-30')</c>.</summary>
/// <param name="Field">What it is about.</param>
/// <param name="Op">How that is compared.</param>
/// <param name="Values">With what: one value, two of <c>bt</c>, any number of <c>in</c>.</param>
internal sealed record FilterTerm(string Field, FilterOps Op, IReadOnlyList<string> Values)
{
    public string Value => Values[0];

    public bool Allows(string value) => Values.Contains(value) == (Op != FilterOps.Ne);
}

/// <summary>Conditions that must all hold.</summary>
internal sealed class Filter(IReadOnlyList<FilterTerm> terms, string text)
{
    public IReadOnlyList<FilterTerm> Terms => terms;

    /// <summary>As the caller wrote it.</summary>
    public string Text => text;

    /// <summary>Whether every condition on a text field allows the value.</summary>
    public bool Matches(string field, string value)
    {
        foreach (var term in terms)
        {
            if (term.Field == field && !term.Allows(value))
                return false;
        }

        return true;
    }

    /// <summary>The days, first and last included, that every condition on a date field allows; null when there is none.</summary>
    /// <param name="field">The field.</param>
    /// <param name="moment">What stands for a day in that field; midnight UTC where none is given.</param>
    public (int From, int To)? Days(string field, Func<int, DateTime>? moment = null)
    {
        moment ??= static day => DateOnly.FromDayNumber(day).ToDateTime(TimeOnly.MinValue);
        var (from, to, any) = (int.MinValue, int.MaxValue, false);
        foreach (var term in terms)
        {
            if (term.Field != field)
                continue;
            any = true;
            var bound = FilterFields.ParseInstant(term.Value)!.Value;
            if (term.Op is FilterOps.Eq or FilterOps.Gteq or FilterOps.Bt)
                from = Math.Max(from, FirstFrom(bound));
            if (term.Op is FilterOps.Gt)
                from = Math.Max(from, FirstAfter(bound));
            if (term.Op is FilterOps.Eq or FilterOps.Lteq)
                to = Math.Min(to, FirstAfter(bound) - 1);
            if (term.Op is FilterOps.Lt)
                to = Math.Min(to, FirstFrom(bound) - 1);
            if (term.Op is FilterOps.Bt)
                to = Math.Min(to, FirstAfter(FilterFields.ParseInstant(term.Values[1])!.Value) - 1);
        }

        return any ? (from, to) : null;

        int FirstFrom(DateTime bound) => First(bound, day => moment(day) >= bound);
        int FirstAfter(DateTime bound) => First(bound, day => moment(day) > bound);

        // What stands for a day lies on it or on the one before.
        static int First(DateTime bound, Func<int, bool> isIt)
        {
            var day = Math.Max(1, DateOnly.FromDateTime(bound).DayNumber);
            while (day < DateOnly.MaxValue.DayNumber && !isIt(day))
                day++;
            return day;
        }
    }
}

/// <summary>
/// The fields that an endpoint filters by, each with its operations, and the parser of Basiq's filters: comma-joined
/// <c>field.op('value')</c>, or <c>field.bt('from','to')</c> with both ends included.
/// </summary>
internal sealed class FilterFields(IReadOnlyList<(string Field, FilterOps Ops)> fields)
{
    private static readonly Filter Empty = new([], "");

    /// <summary>Reads the query's <c>filter</c>; when it is not good, gives the answer that says so.</summary>
    public bool TryParse(
        HttpContext context, [NotNullWhen(true)] out Filter? filter, [NotNullWhen(false)] out Task? refusal)
    {
        var given = context.Request.Query["filter"];
        filter = given.Count switch
        {
            0 => Empty,
            1 => Parse(given[0]!),
            _ => null,
        };
        refusal = filter is not null
            ? null
            : Answers.BadParameter(context, "filter", "The provided filter parameter is in invalid format or unsupported.");
        return filter is not null;
    }

    /// <summary>Null when the text is not a filter by these fields.</summary>
    public Filter? Parse(string text)
    {
        if (text.Length == 0)
            return Empty;
        List<FilterTerm> terms = [];
        var rest = text.AsSpan();
        while (true)
        {
            var open = rest.IndexOf('(');
            if (open < 0)
                return null;
            var name = rest[..open].Trim();
            var dot = name.LastIndexOf('.');
            if (dot < 0 || Op(name[(dot + 1)..]) is not (not FilterOps.None and var op))
                return null;
            rest = rest[(open + 1)..];
            if (!TryQuoted(ref rest, out var value))
                return null;
            List<string> values = [value];
            while (op is FilterOps.Bt or FilterOps.In && TryTake(ref rest, ','))
            {
                if (!TryQuoted(ref rest, out value))
                    return null;
                values.Add(value);
            }

            if (!TryTake(ref rest, ')') || (op == FilterOps.Bt && values.Count != 2))
                return null;
            var term = new FilterTerm(name[..dot].ToString(), op, values);
            if (!Allows(term))
                return null;
            terms.Add(term);
            rest = rest.TrimStart();
            if (rest.IsEmpty)
                return new Filter(terms, text);
            if (!TryTake(ref rest, ','))
                return null;
        }
    }

    /// <summary>A date, or a date and time of RFC 3339; UTC where it names no offset.</summary>
    public static DateTime? ParseInstant(string text)
    {
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        string[] formats =
            ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:sszzz"];
        return DateTime.TryParseExact(text, formats, CultureInfo.InvariantCulture, Utc, out var instant) ? instant : null;
    }

    private bool Allows(FilterTerm term)
    {
        foreach (var (field, ops) in fields)
        {
            if (field == term.Field && (ops & term.Op) != 0)
                return ops != FilterOps.Ordering || term.Values.All(value => ParseInstant(value) is not null);
        }

        return false;
    }

    private static FilterOps Op(ReadOnlySpan<char> name) => name switch
    {
        "eq" => FilterOps.Eq,
        "ne" => FilterOps.Ne,
        "bt" => FilterOps.Bt,
        "gt" => FilterOps.Gt,
        "gteq" => FilterOps.Gteq,
        "lt" => FilterOps.Lt,
        "lteq" => FilterOps.Lteq,
        "in" => FilterOps.In,
        _ => FilterOps.None,
    };

    private static bool TryTake(ref ReadOnlySpan<char> rest, char expected)
    {
        rest = rest.TrimStart();
        if (rest.IsEmpty || rest[0] != expected)
            return false;
        rest = rest[1..];
        return true;
    }

    private static bool TryQuoted(ref ReadOnlySpan<char> rest, [NotNullWhen(true)] out string? value)
    {
        value = null;
        if (!TryTake(ref rest, '\'') || rest.IndexOf('\'') is not (>= 0 and var end))
            return false;
        value = rest[..end].ToString();
        rest = rest[(end + 1)..];
        return true;
    }
}
