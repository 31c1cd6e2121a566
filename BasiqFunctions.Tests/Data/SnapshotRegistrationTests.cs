using BasiqFunctions.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class SnapshotRegistrationTests
{
    private const string Secret = "c2VjcmV0";

    [Theory]
    [InlineData("AzureWebJobsStorage", "UseDevelopmentStorage=true")]
    [InlineData("AzureWebJobsStorage:accountName", "account1")]
    [InlineData("AzureWebJobsStorage:blobServiceUri", "https://account1.blob.core.windows.net")]
    public void Storage_is_reached_by_connection_string_or_identity(string key, string value)
    {
        using var services = Services(new() { [key] = value });
        services.GetRequiredService<IStartupValidator>().Validate();
        Assert.IsType<BlobSnapshotStorage>(services.GetRequiredService<ISnapshotStorage>());
    }

    [Theory]
    [InlineData("AzureWebJobsStorage", "nonsense-" + Secret, "AzureWebJobsStorage")]
    [InlineData("AzureWebJobsStorage:accountName", "Not_An_Account", "AzureWebJobsStorage__accountName")]
    [InlineData("AzureWebJobsStorage:blobServiceUri", "http://example.org", "AzureWebJobsStorage__blobServiceUri")]
    [InlineData("Other", "x", "AzureWebJobsStorage is not set")]
    [InlineData("Snapshots:Container", "No", "Snapshots:Container")]
    [InlineData("Snapshots:Container", "a--b", "Snapshots:Container")]
    [InlineData("Snapshots:LeftoverGrace", "00:30:00", "Snapshots:LeftoverGrace")]
    [InlineData("Snapshots:TimeZone", "Australia/Atlantis", "Snapshots:TimeZone")]
    [InlineData("Snapshots:TimeZone", "", "Snapshots:TimeZone")]
    [InlineData("Snapshots:MaxAge", "00:30:00", "Snapshots:MaxAge")]
    public void A_wrong_setting_stops_the_start_and_is_named_but_not_quoted(string key, string value, string named)
    {
        using var services = Services(new() { [key] = value });
        var thrown = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(named, thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_brings_its_own_storage_needs_no_connection()
    {
        var own = Mock.Of<ISnapshotStorage>();
        using var services = Services([], own);
        services.GetRequiredService<IStartupValidator>().Validate();
        Assert.Same(own, services.GetRequiredService<ISnapshotStorage>());
        Assert.NotNull(services.GetRequiredService<SnapshotPublisher>());
    }

    private static ServiceProvider Services(Dictionary<string, string?> settings, ISnapshotStorage? own = null)
    {
        var services = new ServiceCollection().AddLogging();
        if (own is not null)
            services.AddSingleton(own);
        return services.AddSnapshots(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
    }
}
