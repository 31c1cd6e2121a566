using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Removal;

/// <summary>How a removal ended.</summary>
/// <param name="Receipt">The receipt; null when there was nothing to remove, or Basiq refused.</param>
/// <param name="Refusal">Why Basiq did not remove anything; null when it did, or was not asked.</param>
public sealed record RemovalOutcome(DeletionReceipt? Receipt, RemovalRefusal? Refusal = null);

/// <summary>
/// Why Basiq did not do a step of a removal, as it crosses from an activity into the orchestration and from there to whoever asked: what the answer
/// says. It holds no personal data.
/// </summary>
/// <param name="Status">The answer's status.</param>
/// <param name="Code">Its code.</param>
/// <param name="Detail">Its detail.</param>
/// <param name="CorrelationId">Basiq's id of the failure.</param>
/// <param name="RetryAfterSeconds">When to try again.</param>
/// <param name="Errors">What is wrong per field.</param>
public sealed record RemovalRefusal(
    int Status, string Code, string Detail, string? CorrelationId = null, double? RetryAfterSeconds = null, IReadOnlyDictionary<string, List<string>>? Errors = null)
{
    /// <summary>Whether nothing changes by trying again: Basiq does not know what it was to remove.</summary>
    internal bool IsFinal => Status is 404;

    /// <summary>The same, and what Basiq has already done.</summary>
    internal RemovalRefusal After(int purged) =>
        this with { Detail = $"{Detail} Before that, Basiq purged the data of {purged} {(purged == 1 ? "connection" : "connections")}." };

    internal static RemovalRefusal From(ProblemResult problem) =>
        new(problem.Status, problem.Code, problem.Detail, problem.CorrelationId, problem.RetryAfter?.TotalSeconds, problem.Errors?.Fields);

    internal ProblemResult ToProblem()
    {
        var errors = new FieldErrors();
        foreach (var (field, messages) in Errors ?? new Dictionary<string, List<string>>())
            messages.ForEach(message => errors.Add(field, message));
        return Problem.Of(Status, Code, Detail) with
        {
            CorrelationId = CorrelationId,
            RetryAfter = RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Errors = errors,
        };
    }
}

/// <summary>What came of a step at Basiq.</summary>
/// <typeparam name="T">What it gives.</typeparam>
/// <param name="Value">That; null when Basiq refused.</param>
/// <param name="Refusal">Why Basiq did not do it.</param>
public sealed record BasiqStep<T>(T? Value, RemovalRefusal? Refusal = null)
    where T : class;

/// <summary>What Basiq has of what is to be removed.</summary>
/// <param name="IsReceiptDue">Whether there is something to remove, there or here.</param>
/// <param name="ActiveConnections">The connections that can be purged.</param>
public sealed record FoundAtBasiq(bool IsReceiptDue, IReadOnlyList<ConnectionId> ActiveConnections);

/// <summary>That Basiq has deleted something.</summary>
/// <param name="Unknown">What says that Basiq did not know it any more; null when it did.</param>
public sealed record DeletedAtBasiq(RemovalRefusal? Unknown);
