using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Snapshots in blobs and records in tables, of a real Azurite.</summary>
[Trait("Category", "Journeys")]
public sealed class ConsentLifeInBlobsTests(AzuriteFixture azurite) : ConsentLifeContract, IClassFixture<AzuriteFixture>
{
    private readonly string _test = $"t{Guid.NewGuid():N}"[..20];

    protected override string[] Settings()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        return
        [
            $"AzureWebJobsStorage={azurite.ConnectionString}", $"Snapshots:Container={_test}", $"Idempotency:Table={_test}Idempotency",
            $"Receipts:Table={_test}Receipts", $"Webhooks:Table={_test}Webhooks", $"Due:Table={_test}Due",
        ];
    }

    /// <summary>Blobs whose blocks were never committed count, too.</summary>
    private protected override async Task<string[]> KeptOfAsync(AppUnderTest app, string userId)
    {
        Assert.Empty(await ConsentLifeTests.FilesOfAsync(app, userId));
        List<string> blobs = [];
        await foreach (var blob in new BlobContainerClient(azurite.ConnectionString, _test).GetBlobsAsync(new GetBlobsOptions { States = BlobStates.All }))
            blobs.Add(blob.Name);
        return [.. blobs.Where(name => name.Contains(userId, StringComparison.Ordinal))];
    }
}
