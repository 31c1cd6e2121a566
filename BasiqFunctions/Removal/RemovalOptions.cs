using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>What keeps removals from being a misunderstanding. Section <c>Removal</c>.</summary>
public sealed class RemovalOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Removal";

    /// <summary>
    /// How many users a daily pass removes because Basiq has nothing of them; of more it removes none until somebody confirms it. Without
    /// it one in a hundred of the users that the pass checked, and at least 5.
    /// </summary>
    [Number(0, int.MaxValue)]
    public int? MostAtOnce { get; set; }

    /// <summary>How long the orchestration of a removal is kept after it began. Its receipt is kept for itself (<see cref="ReceiptOptions.KeepFor"/>).</summary>
    [Duration("1d", "3650d")]
    public TimeSpan KeepFinishedFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many those are when so many users are kept.</summary>
    internal int MostOf(int kept) => MostAtOnce ?? Math.Max(5, kept / 100);
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class RemovalOptionsValidator : IValidateOptions<RemovalOptions>;
