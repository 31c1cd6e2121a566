using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Platform.Records;

[Trait("Category", "Unit")]
public sealed class RecordTablesRegistrationTests
{
    private const string Secret = "c2VjcmV0";

    [Theory]
    [InlineData("AzureWebJobsStorage", "UseDevelopmentStorage=true")]
    [InlineData("AzureWebJobsStorage:accountName", "account1")]
    [InlineData("AzureWebJobsStorage:tableServiceUri", "https://account1.table.core.windows.net")]
    [InlineData("AzureWebJobsStorage:blobServiceUri", "https://account1.blob.core.windows.net")]
    public void Tables_are_reached_by_connection_string_or_identity(string key, string value)
    {
        using var services = Services(new() { [key] = value });
        services.GetRequiredService<IStartupValidator>().Validate();
        Assert.IsType<AzureRecordTables>(services.GetRequiredService<IRecordTables>());
        Assert.NotNull(services.GetRequiredKeyedService<IRecordTable>(IdempotencyOptions.Section));
    }

    [Theory]
    [InlineData("AzureWebJobsStorage", "nonsense-" + Secret, "AzureWebJobsStorage")]
    [InlineData("AzureWebJobsStorage:accountName", "Not_An_Account", "AzureWebJobsStorage__accountName")]
    [InlineData("AzureWebJobsStorage:tableServiceUri", "http://example.org", "AzureWebJobsStorage__tableServiceUri")]
    [InlineData("AzureWebJobsStorage:blobServiceUri", "https://blobs.example.org", "AzureWebJobsStorage__tableServiceUri")]
    [InlineData("Other", "x", "AzureWebJobsStorage is not set")]
    [InlineData("Idempotency:Table", "No-Table", "Idempotency:Table")]
    [InlineData("Idempotency:Retention", "00:30:00", "Idempotency:Retention")]
    [InlineData("Idempotency:Lease", "00:00:01", "Idempotency:Lease")]
    public void A_wrong_setting_stops_the_start_and_is_named_but_not_quoted(string key, string value, string named)
    {
        using var services = Services(new() { [key] = value });
        var thrown = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(named, thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_brings_its_own_tables_needs_no_connection()
    {
        var table = Mock.Of<IRecordTable>();
        var own = Mock.Of<IRecordTables>(tables => tables.Open("BasiqIdempotency") == table);
        using var services = Services([], own);
        services.GetRequiredService<IStartupValidator>().Validate();
        Assert.NotNull(services.GetRequiredKeyedService<IRecordTable>(IdempotencyOptions.Section));
        Mock.Get(own).Verify(tables => tables.Open("BasiqIdempotency"));
    }

    private static ServiceProvider Services(Dictionary<string, string?> settings, IRecordTables? own = null)
    {
        var services = new ServiceCollection().AddLogging();
        if (own is not null)
            services.AddSingleton(own);
        return services.AddIdempotency(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
    }
}
