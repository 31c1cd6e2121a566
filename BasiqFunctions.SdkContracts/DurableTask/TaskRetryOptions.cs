namespace Microsoft.DurableTask;

/// <summary>How a failed activity is tried again.</summary>
public sealed class TaskRetryOptions(RetryPolicy policy)
{
    public RetryPolicy? Policy { get; } = policy;

    public static TaskRetryOptions FromRetryPolicy(RetryPolicy policy) => new(policy);

    public static implicit operator TaskRetryOptions(RetryPolicy policy) => new(policy);
}
