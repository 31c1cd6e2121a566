namespace BasiqFunctions.Benchmarks.Arithmetic;

/// <summary>How few requests to Basiq would do.</summary>
internal static class LeastRequests
{
    /// <summary>
    /// For the syncs of users with one finished job each: the jobs once, the accounts once, each page of each account once, a page
    /// of an account without transactions included. The server token is there already.
    /// </summary>
    public static long Of(int syncs, int accounts, int transactions, int pageSize) =>
        syncs * (2L + ((long)accounts * PagesOf(transactions, pageSize)));

    public static int PagesOf(int transactions, int pageSize) => Math.Max(1, (transactions + pageSize - 1) / pageSize);
}
