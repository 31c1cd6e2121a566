using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Data;

/// <summary>Reads a user's current snapshot.</summary>
public sealed class SnapshotFunctions(
    SnapshotReader snapshots, DamagedAccounts damaged, IRemovalHistory removals, Instruments instruments, ILogger<SnapshotFunctions> logger)
{
    private readonly SnapshotAnswers _answers = new(snapshots, damaged, removals, instruments, logger);

    /// <summary>The accounts of the current snapshot, as Basiq sent them: 200.</summary>
    [Function("ListAccounts")]
    [Answers(StatusCodes.Status200OK, typeof(AccountsResult), Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [FailsWith(ProblemCodes.NoSnapshot, ProblemCodes.ConsentEnded, ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ListAccountsAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/accounts")] HttpRequest request,
        string userId,
        CancellationToken cancellationToken) =>
        _answers.ReadAsync(
            new(userId),
            async user =>
            {
                var errors = new FieldErrors();
                QueryParameters.Check(request.Query, errors);
                if (errors.Count > 0)
                    return Problem.InvalidInput(errors);
                if (await snapshots.GetCurrentAsync(user, cancellationToken) is not { } snapshot)
                    return await _answers.NoSnapshotAsync(user, cancellationToken);
                var tag = EntityTags.Of(snapshot.Version);
                return EntityTags.IsKnown(request, tag) ? new NotModified(tag) : new AccountsResult(snapshot) { Tag = tag };
            },
            cancellationToken);

    /// <summary>
    /// Transactions of one account of the current snapshot, as and in the order in which Basiq sent them, a page at a time: 200.
    /// </summary>
    [Function("ListTransactions")]
    [Parameter("from", "The first day, by the bank's day of posting.", Type = typeof(DateOnly))]
    [Parameter("to", "The last day.", Type = typeof(DateOnly))]
    [Parameter("status", "Only those.", Type = typeof(TransactionStatus))]
    [Parameter("limit", "The most in a page; 100 when it is left out.", Type = typeof(int), Maximum = TransactionQuery.MaxLimit)]
    [Parameter("cursor", "The last page's nextCursor.")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(TransactionsPageResult), Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(
        ProblemCodes.NoSnapshot, ProblemCodes.ConsentEnded, ProblemCodes.AccountNotFound, ProblemCodes.SnapshotChanged, ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ListTransactionsAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/accounts/{accountId}/transactions")]
        HttpRequest request,
        string userId,
        string accountId,
        CancellationToken cancellationToken) =>
        _answers.ReadAsync(
            new(userId),
            async user =>
            {
                var errors = new FieldErrors();
                var query = ReadQuery(request.Query, errors);
                if (errors.Count > 0)
                    return Problem.InvalidInput(errors);
                return await AnswerToAsync(
                    request,
                    user,
                    new MergedQuery(query, new(accountId)),
                    async () => await snapshots.ReadTransactionsAsync(user, new(accountId), query, cancellationToken),
                    cancellationToken);
            },
            cancellationToken);

    /// <summary>
    /// Transactions of all accounts of the current snapshot in one order, the latest day first and those of a day by id, a page at a time: 200.
    /// </summary>
    [Function("ListUserTransactions")]
    [Parameter("from", "The first day, by the bank's day of posting.", Type = typeof(DateOnly))]
    [Parameter("to", "The last day.", Type = typeof(DateOnly))]
    [Parameter("status", "Only those.", Type = typeof(TransactionStatus))]
    [Parameter("accountId", "Only this account's.")]
    [Parameter("connectionId", "Only this connection's accounts'.")]
    [Parameter("limit", "The most in a page; 100 when it is left out.", Type = typeof(int), Maximum = TransactionQuery.MaxLimit)]
    [Parameter("cursor", "The last page's nextCursor.")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(TransactionsPageResult), Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(
        ProblemCodes.NoSnapshot,
        ProblemCodes.ConsentEnded,
        ProblemCodes.AccountNotFound,
        ProblemCodes.ConnectionNotFound,
        ProblemCodes.SnapshotChanged,
        ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ListUserTransactionsAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/transactions")] HttpRequest request,
        string userId,
        CancellationToken cancellationToken) =>
        _answers.ReadAsync(
            new(userId),
            async user =>
            {
                var errors = new FieldErrors();
                var transactions = ReadQuery(request.Query, errors, "accountId", "connectionId");
                var query = new MergedQuery(
                    transactions,
                    QueryParameters.Id(request.Query, "accountId", errors, id => new AccountId(id)),
                    QueryParameters.Id(request.Query, "connectionId", errors, id => new ConnectionId(id)));
                if (errors.Count > 0)
                    return Problem.InvalidInput(errors);
                return await AnswerToAsync(
                    request, user, query, async () => await snapshots.ReadMergedAsync(user, query, cancellationToken), cancellationToken);
            },
            cancellationToken);

    /// <summary>304 is answered before a page is read.</summary>
    private async Task<IResult> AnswerToAsync(
        HttpRequest request, UserId userId, MergedQuery query, Func<Task<TransactionsResult>> read, CancellationToken cancellationToken)
    {
        if (EntityTags.NamesTags(request)
            && await snapshots.FindVersionAsync(userId, query, cancellationToken) is { } version
            && TagOf(version) is var known
            && EntityTags.IsKnown(request, known))
        {
            return new NotModified(known);
        }

        var result = await read();
        return result is TransactionsResult.Page page && TagOf(page.Version) is var tag && EntityTags.IsKnown(request, tag)
            ? new NotModified(tag)
            : await AnswerToAsync(userId, result, TagOf, cancellationToken);

        // The path is part of it, for who sends the tag of the one list to the other.
        EntityTagHeaderValue TagOf(string version) => EntityTags.Of(request.Path, request.QueryString.Value, version);
    }

    private async Task<IResult> AnswerToAsync(
        UserId userId, TransactionsResult result, Func<string, EntityTagHeaderValue> tagOf, CancellationToken cancellationToken) => result switch
        {
            TransactionsResult.Page page => new TransactionsPageResult(page) { Tag = tagOf(page.Version) },
            TransactionsResult.CursorExpired => Problem.Conflict(
                ProblemCodes.SnapshotChanged, "The snapshot was replaced since the cursor was given: start again without it."),
            TransactionsResult.InvalidCursor =>
                Problem.InvalidInput("cursor", "was not issued for this list and these filters."),
            _ => await _answers.NothingAsync(userId, result, cancellationToken),
        };

    private static TransactionQuery ReadQuery(IQueryCollection parameters, FieldErrors errors, params ReadOnlySpan<string> more)
    {
        QueryParameters.Check(parameters, errors, [.. (ReadOnlySpan<string>)["from", "to", "status", "limit", "cursor"], .. more]);
        return TransactionParameters.Read(parameters, errors) with
        {
            Limit = QueryParameters.Limit(parameters, TransactionQuery.MaxLimit, errors),
            Cursor = QueryParameters.Cursor(parameters),
        };
    }
}
