using System.Runtime.CompilerServices;
using BasiqFunctions.Client.Models;
using OfAccount = BasiqFunctions.Client.Users.Item.Accounts.Item.Transactions.TransactionsRequestBuilder;
using OfUser = BasiqFunctions.Client.Users.Item.Transactions.TransactionsRequestBuilder;

namespace BasiqFunctions.Client;

/// <summary>What comes page by page, as one sequence.</summary>
public static class Paging
{
    /// <summary>
    /// A user's changes since a cursor, or all there is without one, page by page to the newest. Store what a page says together with its
    /// <c>NextCursor</c>, in one transaction: whoever stops anywhere goes on from there, and meets each change exactly once.
    /// </summary>
    /// <exception cref="Problem">
    /// <c>cursor-expired</c>: begin again without a cursor. <c>consent-ended</c> or <c>no-snapshot</c>: nothing is kept of the user.
    /// </exception>
    public static async IAsyncEnumerable<ChangesPageResult> ReadChangesAsync(
        this BasiqFunctionsClient client, string userId, string? cursor = null, int? pageLength = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChangesPageResult page;
        do
        {
            page = (await client.Users[userId].Changes.GetAsync(request => (request.QueryParameters.Cursor, request.QueryParameters.Limit) = (cursor, pageLength), cancellationToken))!;
            yield return page;
            cursor = page.NextCursor;
        }
        while (page.HasMore is true);
    }

    /// <summary>An account's transactions, newest first, from all pages.</summary>
    /// <param name="transactions"><c>client.Users[userId].Accounts[accountId].Transactions</c>.</param>
    /// <param name="choose">Which: from, to, status.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Problem"><c>snapshot-changed</c>: a sync published others in the meantime; begin again.</exception>
    public static IAsyncEnumerable<Transaction> ReadAllAsync(
        this OfAccount transactions, Action<OfAccount.TransactionsRequestBuilderGetQueryParameters>? choose = null, CancellationToken cancellationToken = default) =>
        AllAsync((cursor, cancellation) => transactions.GetAsync(
            request =>
            {
                choose?.Invoke(request.QueryParameters);
                request.QueryParameters.Cursor = cursor;
            },
            cancellation), cancellationToken);

    /// <summary>The transactions of all accounts of a user, from all pages.</summary>
    /// <param name="transactions"><c>client.Users[userId].Transactions</c>.</param>
    /// <param name="choose">Which: from, to, status.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Problem"><c>snapshot-changed</c>: a sync published others in the meantime; begin again.</exception>
    public static IAsyncEnumerable<Transaction> ReadAllAsync(
        this OfUser transactions, Action<OfUser.TransactionsRequestBuilderGetQueryParameters>? choose = null, CancellationToken cancellationToken = default) =>
        AllAsync((cursor, cancellation) => transactions.GetAsync(
            request =>
            {
                choose?.Invoke(request.QueryParameters);
                request.QueryParameters.Cursor = cursor;
            },
            cancellation), cancellationToken);

    private static async IAsyncEnumerable<Transaction> AllAsync(
        Func<string?, CancellationToken, Task<TransactionsPageResult?>> read, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            var page = await read(cursor, cancellationToken);
            foreach (var transaction in page?.Transactions ?? [])
                yield return transaction;
            cursor = page?.NextCursor;
        }
        while (cursor is not null);
    }
}
