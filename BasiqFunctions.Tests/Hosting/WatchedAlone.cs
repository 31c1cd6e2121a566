namespace BasiqFunctions.Tests.Hosting;

/// <summary>Tests that watch the whole process: what others do in it at the same time would be theirs.</summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public static class WatchedAlone
{
    public const string Collection = "Watched alone";
}
