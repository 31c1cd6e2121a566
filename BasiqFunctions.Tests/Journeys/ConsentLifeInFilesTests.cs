using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

[Trait("Category", "Journeys")]
public sealed class ConsentLifeInFilesTests : ConsentLifeContract
{
    protected override string[] Settings() => [];

    private protected override Task<string[]> KeptOfAsync(AppUnderTest app, string userId) => ConsentLifeTests.FilesOfAsync(app, userId);
}
