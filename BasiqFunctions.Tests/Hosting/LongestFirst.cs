using Xunit.Abstractions;

[assembly: TestCollectionOrderer("BasiqFunctions.Tests.Hosting.LongestFirst", "BasiqFunctions.Tests")]

namespace BasiqFunctions.Tests.Hosting;

/// <summary>The tests in a browser run one after another and take longest: the others run beside them, and nobody waits for them at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <summary>The collection of the tests in a browser, which are not built where there is none.</summary>
    internal const string InBrowser = "in a browser";

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.DisplayName is not InBrowser);
}
