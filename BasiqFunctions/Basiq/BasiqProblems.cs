using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Basiq;

/// <summary>What failed calls to Basiq are to our caller.</summary>
internal static class BasiqProblems
{
    /// <summary>The problem that a failed call to Basiq is to our caller.</summary>
    public static ProblemResult ToProblem(this BasiqFailure failure)
    {
        var (status, code, detail) = failure.Kind switch
        {
            BasiqFailureKind.NotFound or BasiqFailureKind.Gone when NotFound(failure.Endpoint) is { } notFound => notFound,
            BasiqFailureKind.Invalid => (400, ProblemCodes.InvalidInput, "Basiq refused the request."),
            BasiqFailureKind.Unauthorized =>
                (502, ProblemCodes.BasiqRefused, "Basiq refused this service's API key or token; its operator must check the key."),
            BasiqFailureKind.Forbidden =>
                (502, ProblemCodes.BasiqRefused, "Basiq denied this service the call; its operator must check the key's permissions."),
            BasiqFailureKind.Overloaded when failure.IsRefusedHere =>
                (429, ProblemCodes.BasiqOverloaded, "This service has used up the requests that it may send to Basiq; try again later."),
            BasiqFailureKind.Overloaded => failure.StatusCode is 429
                ? (429, ProblemCodes.BasiqOverloaded, "Basiq takes no more requests for now; try again later.")
                : (503, ProblemCodes.BasiqOverloaded, "Basiq is overloaded; try again later."),
            BasiqFailureKind.Unavailable =>
                (503, ProblemCodes.BasiqUnavailable, "Basiq is not available; try again later."),
            BasiqFailureKind.Timeout => (504, ProblemCodes.BasiqTimeout, "Basiq did not answer in time; try again."),
            BasiqFailureKind.OutcomeUnknown => (
                failure.StatusCode is null or 408 or 504 ? 504 : 502,
                ProblemCodes.OutcomeUnknown,
                "The user may or may not have been created: Basiq gave no usable answer. Basiq does not notice duplicates, so look "
                + "in its dashboard for the user before you send this again."),
            _ => (502, ProblemCodes.BasiqUnusableAnswer, "Basiq's answer could not be used."),
        };
        if (failure.Endpoint is BasiqClient.PurgeEndpoint)
            detail += " The connection's data was not purged at Basiq, and so the deletion ended there; call again.";
        return new ProblemResult(status, code, detail + Said(failure))
        {
            CorrelationId = failure.CorrelationId,
            RetryAfter = status is 429 or 503 ? failure.RetryAfter ?? HttpAnswers.DefaultRetryAfter : null,
            Errors = failure.Kind is BasiqFailureKind.Invalid ? ErrorsOf(failure) : null,
        };
    }

    /// <summary>Basiq's own explanation, where it speaks of a subscription and can quote nothing of a person.</summary>
    private static string Said(BasiqFailure failure) =>
        failure.Detail is { } detail && failure.Endpoint?.Contains("/notifications/", StringComparison.Ordinal) is true ? $" Basiq says: {detail}" : "";

    /// <summary>What was not found is the innermost thing that the called endpoint names; null where it names none that callers know.</summary>
    private static (int Status, string Code, string Detail)? NotFound(string? endpoint) => endpoint switch
    {
        not null when endpoint.Contains("{connectionId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.ConnectionNotFound, "Basiq does not know this connection of this user."),
        not null when endpoint.Contains("{accountId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.AccountNotFound, "Basiq does not know this account of this user."),
        not null when endpoint.Contains("{consentId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.ConsentNotFound, "Basiq does not know this consent of this user."),
        not null when endpoint.Contains("{jobId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.JobNotFound, "Basiq does not know this job."),
        not null when endpoint.Contains("{reportId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.ReportNotFound, "Basiq does not know this report, or no longer."),
        not null when endpoint.Contains("{webhookId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.SubscriptionNotFound, "Basiq does not know this subscription any more; make it anew with PUT."),
        not null when endpoint.Contains("{userId}", StringComparison.Ordinal) =>
            (404, ProblemCodes.UserNotFound, "Basiq does not know this user."),
        _ => null,
    };

    /// <summary>
    /// Basiq's own complaints by field. Its explanations are left out: they may quote what was sent, and the client masks only
    /// part of that.
    /// </summary>
    private static FieldErrors ErrorsOf(BasiqFailure failure)
    {
        var errors = new FieldErrors();
        foreach (var source in failure.Sources)
            errors.Add(FieldOf(source), $"was refused by Basiq: {source.Code}.");
        if (errors.Count == 0)
            errors.Add("body", $"was refused by Basiq: {failure.Code}.");
        return errors;
    }

    private static string FieldOf(BasiqErrorSource source) =>
        (source.Parameter ?? source.BodyPath)?.Trim('/').Split('/')[^1] is { Length: > 0 and <= 64 } field
        && field.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? field
            : "body";
}
