namespace Microsoft.DurableTask;

/// <summary>Why an activity or an orchestration failed, as its history keeps it.</summary>
public record TaskFailureDetails(
    string ErrorType,
    string ErrorMessage,
    string? StackTrace,
    TaskFailureDetails? InnerFailure,
    IDictionary<string, object?>? Properties);
