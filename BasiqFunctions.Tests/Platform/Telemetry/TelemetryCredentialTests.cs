using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Platform.Telemetry;

[Trait("Category", "Unit")]
public sealed class TelemetryCredentialTests
{
    private const string ConnectionString =
        "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://localhost:1/";

    [Theory]
    [InlineData("ClientId=5f4dbe8a-0000-0000-0000-000000000000;Authorization=AAD")]
    [InlineData("Authorization=AAD;ClientId=5f4dbe8a-0000-0000-0000-000000000000")]
    [InlineData("Authorization=AAD")]
    public void Telemetry_is_sent_as_the_managed_identity_that_the_setting_names(string setting) =>
        Assert.IsType<ManagedIdentityCredential>(CredentialOf(setting));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_the_setting_telemetry_is_sent_by_the_connection_string_alone(string? setting) =>
        Assert.Null(CredentialOf(setting));

    [Theory]
    [InlineData("ClientId=5f4dbe8a-0000-0000-0000-000000000000")]
    [InlineData("Authorization=Basic")]
    [InlineData("Authorization=")]
    [InlineData("AAD")]
    [InlineData("Authorization=AAD;Audience=elsewhere")]
    public void A_setting_that_says_something_else_stops_the_start_and_is_named(string setting) =>
        Assert.Contains(
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            Assert.Throws<InvalidOperationException>(() => CredentialOf(setting)).Message,
            StringComparison.Ordinal);

    private static TokenCredential? CredentialOf(string? setting)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = ConnectionString,
                ["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = setting,
            })
            .Build();
        var services = new ServiceCollection();
        Assert.True(services.AddTelemetry(configuration));
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<AzureMonitorExporterOptions>>().Value.Credential;
    }
}
