using BasiqFunctions.Tests.Console.Browser;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("BasiqFunctions.Tests.Hosting.LongestFirst", "BasiqFunctions.Tests")]

namespace BasiqFunctions.Tests.Hosting;

/// <summary>The tests in a browser run one after another and take longest: the others run beside them, and nobody waits for them at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.DisplayName is not InBrowser.Name);
}
