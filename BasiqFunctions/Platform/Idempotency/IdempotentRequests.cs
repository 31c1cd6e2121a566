using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>
/// Answers requests that come with an <c>Idempotency-Key</c> (IETF draft "The Idempotency-Key HTTP Header Field"): the first is
/// run, every further one with the same key and the same content gets its answer, for as long as the record lives.
/// </summary>
/// <remarks>
/// <para>
/// A key is claimed by a record with a lease before anything is done. Whoever comes meanwhile waits, when the first is run by
/// this process, and is sent away with 409 when it is not. Once the lease is over the claimant counts as dead: what may be done
/// twice is run again; a creation is not, since Basiq notices no duplicates and has no way to look for a user. It then counts as
/// of unknown outcome, unless its claimant turns up after all and says how it ended.
/// </para>
/// <para>
/// Kept are outcomes: what was carried out, and what Basiq refused for what it is. What failed for the moment and surely was not
/// carried out gives the key back, so that the same request can succeed later.
/// </para>
/// </remarks>
public sealed class IdempotentRequests : IUserRecords
{
    private const int MostAttemptsToKeep = 3;

    /// <summary>When to come back while another instance runs the first request.</summary>
    private static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(2);

    // Made on first use: few requests bring a key, and the first answer of a process need not wait for table and vault.
    private readonly Lazy<IdempotencyRecords> _store;
    private readonly Lazy<AnswerSeal> _seal;
    private readonly IdempotencyOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<IdempotentRequests> _logger;
    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal);

    internal IdempotentRequests(
        Lazy<IdempotencyRecords> store, Lazy<AnswerSeal> seal, IOptions<IdempotencyOptions> options, TimeProvider clock, ILogger<IdempotentRequests> logger) =>
        (_store, _seal, _options, _clock, _logger) = (store, seal, options.Value, clock, logger);

    /// <summary>Removes everything kept of requests about a user.</summary>
    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => _store.Value.RemoveOfUserAsync(userId, cancellation);

    /// <summary>Runs an operation, or answers as its first run was answered. Without the header it just runs.</summary>
    /// <param name="request">The request, for its header.</param>
    /// <param name="operation">What it asks for.</param>
    /// <param name="cancellation">
    /// The caller has gone. That ends waiting; an operation that has begun is finished, so that its outcome is known.
    /// </param>
    /// <exception cref="ProblemException">400 for a malformed key, 409 while another instance runs it, 422 for a key of another request.</exception>
    internal async Task<IResult> RunAsync(HttpRequest request, IdempotentOperation operation, CancellationToken cancellation)
    {
        if (!request.Headers.TryGetValue(IdempotencyKey.Header, out var header))
            return (await operation.Run(cancellation)).Answer;
        if (IdempotencyKey.Parse(header) is not { } key)
        {
            throw new ProblemException(Problem.InvalidInput(
                IdempotencyKey.Header, $"must be one key of 1 to {IdempotencyKey.MaxLength} printable ASCII characters."));
        }

        if (operation.IsPersonal)
            await _seal.Value.PrepareAsync(cancellation);
        var fresh = new IdempotencyRecord(
            key.Id,
            key.FingerprintOf(operation.Endpoint, operation.CanonicalBody()),
            Guid.NewGuid().ToString("N"),
            IdempotencyState.Running,
            default,
            default)
        { UserId = operation.UserId };
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var found = await _store.Value.FindAsync(key.Id, cancellation);
            var live = found?.ExpiresAt > _clock.GetUtcNow() ? found : null;
            if (live is not null && live.Fingerprint != fresh.Fingerprint)
            {
                throw new ProblemException(Problem.Of(
                    StatusCodes.Status422UnprocessableEntity, ProblemCodes.IdempotencyKeyReused,
                    "The Idempotency-Key came with another request before; a new request needs a new key."));
            }

            if (live?.State is IdempotencyState.Answered or IdempotencyState.OutcomeUnknown
                && await AgainAsync(key, operation, live, cancellation) is { } answer)
            {
                Log.Replayed(_logger, operation.Endpoint);
                return answer;
            }

            if (_running.TryGetValue(key.Id, out var first))
            {
                await first.WaitAsync(cancellation);
                continue;
            }

            if (live is { State: IdempotencyState.Running } && live.LeaseUntil > _clock.GetUtcNow())
            {
                await RefuseWhileRunningAsync(live, cancellation);
                continue;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_running.TryAdd(key.Id, done.Task))
                continue;
            try
            {
                if (live is { State: IdempotencyState.Running } && !operation.IsRepeatable)
                    await GiveUpAsync(operation, live);
                else if (await ClaimAsync(operation, fresh, found, live) is { } claim)
                    return await FirstAsync(key, operation, claim);
            }
            finally
            {
                _running.TryRemove(key.Id, out _);
                done.SetResult();
            }
        }
    }

    private static bool IsSurelyNotCarriedOut(IdempotentOperation operation, Exception exception) =>
        operation.IsRepeatable || (exception is IProblem problem && problem.ToProblem().Code is not ProblemCodes.OutcomeUnknown);

    /// <summary>409, unless the record has changed: the first request may have ended, or been this process's, since it was read.</summary>
    private async Task RefuseWhileRunningAsync(IdempotencyRecord running, CancellationToken cancellation)
    {
        if ((await _store.Value.FindAsync(running.Id, cancellation))?.ETag != running.ETag || _running.ContainsKey(running.Id))
            return;
        var wait = running.LeaseUntil - _clock.GetUtcNow();
        var problem = Problem.Conflict(
            ProblemCodes.IdempotencyKeyInUse, "The first request with this Idempotency-Key is still under way; ask again in a moment.");
        throw new ProblemException(problem with { RetryAfter = wait < ComeBackAfter ? wait : ComeBackAfter });
    }

    /// <summary>Takes the key for this run; null when another was quicker.</summary>
    private async Task<IdempotencyRecord?> ClaimAsync(
        IdempotentOperation operation, IdempotencyRecord fresh, IdempotencyRecord? found, IdempotencyRecord? live)
    {
        var now = _clock.GetUtcNow();
        var claim = fresh with
        {
            LeaseUntil = now + _options.Lease,
            ExpiresAt = live?.ExpiresAt ?? now + _options.Retention,
            ETag = found?.ETag,
        };
        if (live?.State is IdempotencyState.Running)
            Log.TakenOver(_logger, operation.Endpoint);

        // A storage client repeats a request whose answer was lost, and then meets its own record.
        return (found is null ? await _store.Value.TryAddAsync(claim, CancellationToken.None) : await _store.Value.TryReplaceAsync(claim, CancellationToken.None))
            ?? (await _store.Value.FindAsync(claim.Id, CancellationToken.None) is { } own && own.Claim == claim.Claim ? own : null);
    }

    /// <summary>Notes that the claimant is dead and that its request must not be sent again.</summary>
    private async Task GiveUpAsync(IdempotentOperation operation, IdempotencyRecord abandoned)
    {
        if (await _store.Value.TryReplaceAsync(abandoned with { State = IdempotencyState.OutcomeUnknown }, CancellationToken.None) is not null)
            Log.OutcomeUnknown(_logger, operation.Endpoint);
    }

    private async Task<IResult> FirstAsync(IdempotencyKey key, IdempotentOperation operation, IdempotencyRecord claim)
    {
        StoredAnswer answer;
        UserId? userId;
        try
        {
            (var result, userId) = await operation.Run(CancellationToken.None);
            answer = await StoredAnswer.OfAsync(result);
        }
        catch (Exception exception)
        {
            var refusal = exception is IProblem problem ? await StoredAnswer.OfAsync(problem.ToProblem()) : null;
            if (!IsSurelyNotCarriedOut(operation, exception))
            {
                Log.OutcomeUnknown(_logger, operation.Endpoint);
                await KeepAsync(operation, claim with { State = IdempotencyState.OutcomeUnknown, Answer = refusal?.ToBytes() });
            }
            else if (refusal is { IsFinal: true })
            {
                await KeepAsync(operation, claim with { State = IdempotencyState.Answered, Answer = refusal.ToBytes() });
            }
            else
            {
                await GiveBackAsync(operation, claim);
            }

            throw;
        }

        await KeepAsync(operation, claim with
        {
            State = IdempotencyState.Answered,
            UserId = userId,
            Answer = await BytesOfAsync(key, operation, answer),
        });
        return answer;
    }

    private async Task<byte[]?> BytesOfAsync(IdempotencyKey key, IdempotentOperation operation, StoredAnswer answer)
    {
        var bytes = answer.ToBytes();
        if (operation.IsPersonal)
            bytes = await _seal.Value.SealAsync(key, bytes, CancellationToken.None);
        return bytes.Length <= IdempotencyRecord.MaxAnswerBytes ? bytes : null;
    }

    /// <summary>
    /// Keeps how it ended. When that fails the caller is answered all the same: what was not kept counts as unfinished, which is
    /// never wrong.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Stores fail with exceptions of their own, and none may take the answer from the caller.")]
    private async Task KeepAsync(IdempotentOperation operation, IdempotencyRecord ended)
    {
        try
        {
            for (var attempt = 0; attempt < MostAttemptsToKeep; attempt++)
            {
                if (await _store.Value.TryReplaceAsync(ended, CancellationToken.None) is not null)
                    return;

                // Removed with its user, taken over by another run, kept already by an attempt whose answer was lost: all done.
                // Given up by an instance that took this one for dead: this one knows better.
                if (await _store.Value.FindAsync(ended.Id, CancellationToken.None) is not { } found
                    || found.Claim != ended.Claim
                    || found.State is IdempotencyState.Answered)
                    return;
                ended = ended with { ETag = found.ETag };
            }
        }
        catch (Exception exception)
        {
            Log.NotKept(_logger, operation.Endpoint, exception.GetType().Name);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "As with KeepAsync; the failure of the request itself is under way to the caller.")]
    private async Task GiveBackAsync(IdempotentOperation operation, IdempotencyRecord claim)
    {
        try
        {
            await _store.Value.TryRemoveAsync(claim, CancellationToken.None);
        }
        catch (Exception exception)
        {
            Log.NotKept(_logger, operation.Endpoint, exception.GetType().Name);
        }
    }

    /// <summary>The answer of the first run; null when it was lost and the operation may run again.</summary>
    private async Task<IResult?> AgainAsync(
        IdempotencyKey key, IdempotentOperation operation, IdempotencyRecord record, CancellationToken cancellation)
    {
        if (record.State is IdempotencyState.OutcomeUnknown)
        {
            return (record.Answer is { } told ? StoredAnswer.FromBytes(told) : null) ?? (IResult?)operation.OutcomeUnknown;
        }

        // Refusals are not personal, and so not sealed: they name fields and no values.
        if (record.Answer is { } kept
            && (StoredAnswer.FromBytes(kept)
                ?? (operation.IsPersonal && await _seal.Value.TryOpenAsync(key, kept, cancellation) is { } opened ? StoredAnswer.FromBytes(opened) : null))
                is { } answer)
            return answer;
        if (operation.Restore is null)
            return null;
        Log.Unreadable(_logger, operation.Endpoint);
        return record.UserId is { } userId
            ? await operation.Restore(userId, cancellation)
            : operation.OutcomeUnknown;
    }
}

/// <summary>A request that may come with an <c>Idempotency-Key</c>.</summary>
/// <param name="Endpoint">Verb and route with its values, such as <c>POST users/u1/syncs</c>.</param>
/// <param name="CanonicalBody">Gives the body's meaning as bytes: the same for bodies that ask for the same.</param>
/// <param name="Run">Does the work. Returns the answer and the user that it is about.</param>
internal sealed record IdempotentOperation(
    string Endpoint, Func<byte[]> CanonicalBody, Func<CancellationToken, Task<(IResult Answer, UserId UserId)>> Run)
{
    /// <summary>The user that the request is about, where there is one before it has run.</summary>
    public UserId? UserId { get; init; }

    /// <summary>
    /// Makes the answer again from what is known of it, for when it was not kept or cannot be read any more. Null where the
    /// operation may simply run again, since doing it twice is the same as doing it once.
    /// </summary>
    public Func<UserId, CancellationToken, Task<IResult>>? Restore { get; init; }

    /// <summary>The answer where nobody knows whether the operation was carried out. Needed where <see cref="Restore"/> is.</summary>
    public ProblemResult? OutcomeUnknown { get; init; }

    /// <summary>Whether the operation may run again when nobody knows whether it has run.</summary>
    public bool IsRepeatable => Restore is null;

    /// <summary>Whether the answer holds personal data, so that it is kept sealed.</summary>
    public bool IsPersonal { get; init; }
}
