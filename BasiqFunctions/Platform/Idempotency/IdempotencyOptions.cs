using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>How long requests with an <c>Idempotency-Key</c> are remembered, and where. Section <c>Idempotency</c>.</summary>
public sealed class IdempotencyOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Idempotency";

    /// <summary>The table, created on first use.</summary>
    public string Table { get; set; } = "BasiqIdempotency";

    /// <summary>How long a key stands for its first request, counted from that request's arrival.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How long a request may be under way before another instance takes its instance for dead. A creation is not sent again even
    /// then, so that one that was merely slow does no harm; longer than a call to Basiq with its retries, callers seldom see that.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(3);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class IdempotencyOptionsValidator : IValidateOptions<IdempotencyOptions>
{
    public ValidateOptionsResult Validate(string? name, IdempotencyOptions options)
    {
        List<string> failures = [];
        if (!RecordTableName.IsValid(options.Table))
            failures.Add($"Idempotency:Table {RecordTableName.Rule}.");
        if (options.Retention < TimeSpan.FromHours(1) || options.Retention > TimeSpan.FromDays(30))
            failures.Add("Idempotency:Retention must be between 1 hour and 30 days.");
        if (options.Lease < TimeSpan.FromSeconds(10) || options.Lease > TimeSpan.FromMinutes(30))
            failures.Add("Idempotency:Lease must be between 10 seconds and 30 minutes.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
