namespace BasiqFunctions.Data;

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
    public static IReadOnlyList<(string Old, string Anew)> Pairs(IEnumerable<AccountFacts> ended, IEnumerable<AccountFacts> others)
    {
        List<AccountFacts> free = [.. others];
        List<(string, string)> pairs = [];
        foreach (var connection in ended.GroupBy(account => account.ConnectionId))
        {
            HashSet<string> anew = new(StringComparer.Ordinal);
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
