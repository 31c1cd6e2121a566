namespace BasiqFunctions.Tests.Properties;

/// <summary>Properties take every core for a moment, which tests that measure or hurry must not feel: they run when those are done.</summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public static class PropertyTests
{
    public const string Collection = "Properties";
}
