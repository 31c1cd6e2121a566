using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>The tests that share a Chromium, one after another.</summary>
[CollectionDefinition(Name)]
public sealed class InBrowser : ICollectionFixture<Chromium>
{
    public const string Name = LongestFirst.InBrowser;
}
