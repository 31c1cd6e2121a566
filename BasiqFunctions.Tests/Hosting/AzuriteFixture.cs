using Azure.Data.Tables;
using Azure.Storage.Blobs;
using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>An Azurite for the tests of one class.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private Azurite? _azurite;

    /// <summary>Why there is no Azurite here; null when there is.</summary>
    public string? Missing { get; private set; }

    public string ConnectionString => _azurite!.ConnectionString;

    /// <summary>A container of the caller's own.</summary>
    public BlobContainerClient NewContainer() => new BlobServiceClient(ConnectionString).GetBlobContainerClient($"test-{Guid.NewGuid():N}");

    /// <summary>A table of the caller's own.</summary>
    public TableClient NewTable() => new(ConnectionString, $"test{Guid.NewGuid():N}");

    public async Task InitializeAsync()
    {
        try
        {
            _azurite = await Azurite.StartAsync();
        }
        catch (AzuriteException e)
        {
            Missing = e.Message;
        }
    }

    public async Task DisposeAsync()
    {
        if (_azurite is not null)
            await _azurite.DisposeAsync();
    }
}
