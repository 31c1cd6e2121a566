namespace BasiqFunctions.Benchmarks;

/// <summary>What else this program can be: the processes that a benchmark starts.</summary>
internal static class Roles
{
    public const string Load = "role:load";
    public const string Upstream = "role:upstream";
    public const string Proxy = "role:proxy";

    /// <summary>The file of this program.</summary>
    public const string Assembly = "BasiqFunctions.Benchmarks.dll";

    /// <summary>The file of the minimal app.</summary>
    public const string MinimalAssembly = "BasiqFunctions.Benchmarks.Minimal.dll";
}
