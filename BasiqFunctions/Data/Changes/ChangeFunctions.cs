using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Changes;

/// <summary>Reads what changed.</summary>
public sealed class ChangeFunctions(
    ChangeReader reader,
    ChangeCursors cursors,
    SnapshotReader snapshots,
    DamagedAccounts damaged,
    IRemovalHistory removals,
    Instruments instruments,
    ILogger<ChangeFunctions> logger)
{
    private readonly SnapshotAnswers _answers = new(snapshots, damaged, removals, instruments, logger);

    /// <summary>
    /// Without a cursor everything that there is, as added; with the last answer's what changed since, in the order in which it happened and
    /// each change once: 200.
    /// </summary>
    [Function("ListChanges")]
    [Parameter("cursor", "The last page's nextCursor; for the same accountId only.")]
    [Parameter("limit", "The most changes in a page; 100 when it is left out. A page may have fewer.", Type = typeof(int), Maximum = ChangeQuery.MaxLimit)]
    [Parameter("accountId", "Only this account's.")]
    [Answers(StatusCodes.Status200OK, typeof(ChangesPageResult))]
    [FailsWith(
        ProblemCodes.NoSnapshot, ProblemCodes.ConsentEnded, ProblemCodes.AccountNotFound, ProblemCodes.CursorExpired, ProblemCodes.SnapshotDamaged)]
    public Task<IResult> ListChangesAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "users/{userId}/changes")] HttpRequest request,
        string userId,
        CancellationToken cancellationToken) =>
        _answers.ReadAsync(
            new(userId),
            async user =>
            {
                ArgumentNullException.ThrowIfNull(request);
                var errors = new FieldErrors();
                QueryParameters.Check(request.Query, errors, "cursor", "limit", "accountId");
                var limit = QueryParameters.Limit(request.Query, ChangeQuery.MaxLimit, errors);
                var accountId = QueryParameters.Id(request.Query, "accountId", errors, id => new AccountId(id));
                if (errors.Count > 0)
                    return Problem.InvalidInput(errors);
                ChangePosition? after = null;
                if (QueryParameters.Cursor(request.Query) is { } cursor)
                {
                    after = await cursors.ReadAsync(user, accountId, cursor, cancellationToken);
                    if (after is null)
                        return Problem.InvalidInput("cursor", "was not issued for this user and this accountId.");
                }

                return await AnswerToAsync(user, accountId, await reader.ReadAsync(user, new ChangeQuery(limit, after, accountId), cancellationToken), cancellationToken);
            },
            cancellationToken);

    private async Task<IResult> AnswerToAsync(UserId userId, AccountId? accountId, ChangesResult result, CancellationToken cancellationToken)
    {
        switch (result)
        {
            case ChangesResult.Page page:
                return new ChangesPageResult(page, await cursors.WriteAsync(userId, accountId, page.Next, cancellationToken));
            case ChangesResult.NoSnapshot:
                return await _answers.NoSnapshotAsync(userId, cancellationToken);
            case ChangesResult.AccountNotFound:
                return Problem.NotFound(ProblemCodes.AccountNotFound, "The user's current snapshot has no such account.");
            case ChangesResult.Expired expired:
                if (expired.Damage is { } damage)
                    await _answers.NoteDamageAsync(userId, damage, cancellationToken);
                return Problem.Of(
                    StatusCodes.Status410Gone,
                    ProblemCodes.CursorExpired,
                    "The changes after this cursor are not kept any more: begin again without it, and what you have and do not meet then is gone.");
            default:
                throw new InvalidOperationException($"No answer for {result.GetType().Name}.");
        }
    }
}
