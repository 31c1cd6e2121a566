using System.Buffers;
using System.Globalization;

namespace BasiqFunctions.Basiq;

/// <summary>
/// A <c>filter</c> of the Basiq API: expressions such as <c>account.id.eq('…')</c>, joined by commas, all of which must hold.
/// </summary>
public sealed record BasiqFilter
{
    private static readonly SearchValues<char> Refused = SearchValues.Create("'\"\\(),");

    private readonly string _expression;

    private BasiqFilter(string expression) => _expression = expression;

    /// <summary>Of one account.</summary>
    public static BasiqFilter AccountId(AccountId accountId) => new($"account.id.eq({Quote(accountId)})");

    /// <summary>Of one status, <c>pending</c> or <c>posted</c>.</summary>
    public static BasiqFilter TransactionStatus(string status) => new($"transaction.status.eq({Quote(status)})");

    /// <summary>Posted from one day to another, both included.</summary>
    public static BasiqFilter PostDateBetween(DateOnly from, DateOnly to) =>
        from <= to
            ? new($"transaction.postDate.bt({Quote(Date(from))},{Quote(Date(to))})")
            : throw new ArgumentOutOfRangeException(nameof(to), "The last day comes before the first.");

    /// <summary>Posted on or after a day.</summary>
    public static BasiqFilter PostedSince(DateOnly from) => new($"transaction.postDate.gteq({Quote(Date(from))})");

    /// <summary>Events of one kind of entity, such as <c>consent</c>.</summary>
    public static BasiqFilter EventEntity(string entity) => new($"event.entity.eq({Quote(entity)})");

    /// <summary>Both this and another.</summary>
    public BasiqFilter And(BasiqFilter other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new($"{_expression},{other._expression}");
    }

    /// <summary>The value of the <c>filter</c> parameter, URL-encoded.</summary>
    public string ToQueryValue() => Uri.EscapeDataString(_expression);

    /// <summary>The expression, not encoded.</summary>
    public override string ToString() => _expression;

    private static string Date(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Basiq documents no way to escape a quote, so a value that could end its own quotes is refused.</summary>
    private static string Quote(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        return value.AsSpan().ContainsAny(Refused) || value.Any(char.IsControl)
            ? throw new ArgumentException("A filter value holds a quote, bracket, comma, backslash or control character.", nameof(value))
            : $"'{value}'";
    }
}
