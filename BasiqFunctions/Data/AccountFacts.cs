using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Data;

/// <summary>What an account is known by at its bank, beside Basiq's ids.</summary>
/// <param name="AccountId">Basiq's id.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Institution">The bank.</param>
/// <param name="Number">Letters and digits of the number; empty where there is none, or none of its digits is shown.</param>
/// <param name="Currency">Where the bank says.</param>
/// <param name="Class">Such as <c>savings</c>.</param>
/// <param name="Name">What the bank or its customer calls it.</param>
internal sealed record AccountFacts(
    AccountId AccountId, ConnectionId ConnectionId, string? Institution, string Number, string? Currency, string? Class, string? Name)
{
    /// <summary>Reads them from an account as Basiq sent it.</summary>
    public static AccountFacts Of(AccountId accountId, ConnectionId connectionId, ReadOnlyMemory<byte> raw)
    {
        var account = Account.From(JsonElement.Parse(raw.Span));
        string number = string.Concat((account.AccountNo ?? "").Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return new AccountFacts(
            accountId, connectionId, account.InstitutionId, number.Any(char.IsAsciiDigit) ? number : "", account.Currency, account.ClassType, account.Name);
    }

    /// <summary>Whether nothing speaks against another being the same account.</summary>
    public bool MayBe(AccountFacts other) =>
        Institution is not null && Institution == other.Institution && (Currency is null || other.Currency is null || Currency == other.Currency);

    /// <summary>The ids alone: the rest is personal data.</summary>
    public override string ToString() => $"{AccountId} of {ConnectionId}";
}

/// <summary>
/// Which accounts are the same account at the bank, listed once more under a connection that was made anew. This is the one place that
/// says what it takes to believe that.
/// </summary>
/// <remarks>
/// <para>
/// It takes two things, each of which may be there by itself for another reason. The old connection has ended: Basiq's list of
/// connections names the new one and not the old one, or calls the old one <c>invalid</c> or deleted. That the list of accounts lacks
/// it proves nothing: a list may be filtered, or empty. And the new connection has an account of the same institution, number and
/// currency: two logins at one bank have different numbers, and a joint account that is seen through two connections that both work
/// is two accounts to Basiq and here.
/// </para>
/// <para>
/// Only accounts that have a counterpart go, one for one. An account without a number has none, unless others of its connection have;
/// then it is the one of the same class and name.
/// </para>
/// </remarks>
internal static class MadeAnew
{
    /// <summary>Pairs accounts of connections that have ended with those that replace them.</summary>
    /// <param name="ended">Accounts of connections that have ended.</param>
    /// <param name="others">Accounts of connections that have not.</param>
    /// <returns>The ids of each pair.</returns>
    public static IReadOnlyList<(AccountId Old, AccountId Anew)> Pairs(IEnumerable<AccountFacts> ended, IEnumerable<AccountFacts> others)
    {
        List<AccountFacts> free = [.. others];
        List<(AccountId, AccountId)> pairs = [];
        foreach (var connection in ended.GroupBy(account => account.ConnectionId))
        {
            HashSet<ConnectionId> anew = [];
            foreach (var old in connection.Where(account => account.Number.Length > 0))
            {
                var numbered = free.Where(other => other.Number == old.Number && old.MayBe(other)).OrderByDescending(other => other.Class == old.Class);
                if (Pair(old, numbered.FirstOrDefault()) is { } found)
                    anew.Add(found.ConnectionId);
            }

            foreach (var old in connection.Where(account => account.Number.Length == 0))
            {
                Pair(old, free.Find(other =>
                    other.Number.Length == 0 && anew.Contains(other.ConnectionId) && old.MayBe(other)
                    && (other.Class, other.Name) == (old.Class, old.Name)));
            }
        }

        return pairs;

        AccountFacts? Pair(AccountFacts old, AccountFacts? found)
        {
            if (found is null)
                return null;
            free.Remove(found);
            pairs.Add((old.AccountId, found.AccountId));
            return found;
        }
    }
}

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
