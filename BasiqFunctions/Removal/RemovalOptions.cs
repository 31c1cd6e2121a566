using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>What keeps removals from being a misunderstanding. Section <c>Removal</c>.</summary>
public sealed class RemovalOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Removal";

    /// <summary>
    /// How many users a daily pass removes because Basiq has nothing of them; of more it removes none until somebody confirms it. Without
    /// it one in a hundred of the users whom the pass looked after, and 5 at least.
    /// </summary>
    public int? MostAtOnce { get; set; }

    /// <summary>How long the orchestration of a removal is kept after it began. Its receipt is kept for itself (<see cref="ReceiptOptions.KeepFor"/>).</summary>
    public TimeSpan KeepFinishedFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many those are when so many users are kept.</summary>
    internal int MostOf(int kept) => MostAtOnce ?? Math.Max(5, kept / 100);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
internal sealed class RemovalOptionsValidator : IValidateOptions<RemovalOptions>
{
    public ValidateOptionsResult Validate(string? name, RemovalOptions options) =>
        options.MostAtOnce is < 0
            ? ValidateOptionsResult.Fail($"{RemovalOptions.Section}:{nameof(options.MostAtOnce)} must be 0 or more.")
        : options.KeepFinishedFor < TimeSpan.FromDays(1) || options.KeepFinishedFor > TimeSpan.FromDays(3_650)
            ? ValidateOptionsResult.Fail($"{RemovalOptions.Section}:{nameof(options.KeepFinishedFor)} must be between 1 and 3,650 days.")
        : ValidateOptionsResult.Success;
}
