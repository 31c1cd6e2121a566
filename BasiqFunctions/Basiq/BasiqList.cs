namespace BasiqFunctions.Basiq;

/// <summary>Basiq's envelope of a list.</summary>
internal sealed record BasiqList<TItem>
{
    public string? Type { get; init; }

    /// <summary>The items; Basiq's OpenAPI lets some lists leave it out.</summary>
    public IReadOnlyList<TItem?>? Data { get; init; }
}
