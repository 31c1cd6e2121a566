using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>How long requests with an <c>Idempotency-Key</c> are remembered, and where. Section <c>Idempotency</c>.</summary>
public sealed class IdempotencyOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Idempotency";

    /// <summary>The table, created on first use.</summary>
    [TableName]
    public string Table { get; set; } = "BasiqIdempotency";

    /// <summary>How long a key stands for its first request, counted from that request's arrival.</summary>
    [Duration("1h", "30d")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How long a request may be under way before another instance takes its instance for dead. A creation is not sent again even
    /// then, so that one that was merely slow does no harm; longer than a call to Basiq with its retries, callers seldom see that.
    /// </summary>
    [Duration("10s", "30m")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(3);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class IdempotencyOptionsValidator : IValidateOptions<IdempotencyOptions>;
