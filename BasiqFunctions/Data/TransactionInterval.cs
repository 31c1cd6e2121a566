using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Data;

/// <summary>From when to when Basiq has transactions of an account, by the account's <c>transactionIntervals</c>.</summary>
internal static class TransactionInterval
{
    /// <summary>The first and the last day over all of its intervals, as yyyyMMdd; zeros where the account has none that can be read.</summary>
    public static (int From, int To) Of(ReadOnlySpan<byte> account)
    {
        var json = JsonElement.Parse(account);
        if (!json.TryGetProperty("transactionIntervals", out var intervals) || intervals.ValueKind is not JsonValueKind.Array)
            return default;
        var (first, last) = (0, 0);
        foreach (var interval in intervals.EnumerateArray())
        {
            var (from, to) = (Day(interval, "from"), Day(interval, "to"));
            if (from == 0 || to == 0)
                return default;
            first = first == 0 ? from : Math.Min(first, from);
            last = Math.Max(last, to);
        }

        return (first, last);
    }

    private static int Day(JsonElement interval, string name) =>
        interval.ValueKind is JsonValueKind.Object
        && interval.Text(name) is { Length: >= 10 } text
        && DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
        && date.Year > 1
            ? Extent.ToDay(date)
            : 0;
}
