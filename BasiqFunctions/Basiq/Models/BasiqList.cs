namespace BasiqFunctions.Basiq.Models;

/// <summary>Basiq's envelope of a list.</summary>
internal sealed record BasiqList<TItem>
{
    /// <summary>The items. A list without them does not say that there are none.</summary>
    public IReadOnlyList<TItem?>? Data { get; init; }
}
