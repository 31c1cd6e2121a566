using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Platform.Vault;

/// <summary>Where the app keeps its secrets: a vault, or a developer's file, and never neither or both.</summary>
[Trait("Category", "Unit")]
public sealed class KeyVaultOptionsTests
{
    [Fact]
    public async Task Secrets_are_kept_in_the_file_that_is_configured()
    {
        using var folder = new TemporaryDirectory();
        var file = Path.Combine(folder.Path, "secrets.json");
        await using var app = Compose(("KeyVault:LocalFile", file));

        await app.GetRequiredService<SecretClient>().SetSecretAsync("a-secret", "v1");

        Assert.Contains("a-secret", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_development_a_file_is_used_without_being_asked_for()
    {
        await using var app = Compose(("AZURE_FUNCTIONS_ENVIRONMENT", "Development"));

        var profile = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        Assert.Equal(Path.Combine(profile, "BasiqFunctions", "keyvault.json"), Options(app).LocalFile);
    }

    [SkippableFact]
    public async Task A_profile_without_a_folder_for_data_is_given_one()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Only there does a variable name the folder.");
        const string variable = "XDG_DATA_HOME";
        using var folder = new TemporaryDirectory();
        var data = Path.Combine(folder.Path, "share");
        var before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, data);
        try
        {
            await using var app = Compose(("AZURE_FUNCTIONS_ENVIRONMENT", "Development"));

            await app.GetRequiredService<SecretClient>().SetSecretAsync("a-secret", "v1");

            Assert.True(File.Exists(Path.Combine(data, "BasiqFunctions", "keyvault.json")));
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }
    }

    [Fact]
    public async Task A_vault_is_used_in_development_when_one_is_configured()
    {
        await using var app = Compose(
            ("AZURE_FUNCTIONS_ENVIRONMENT", "Development"), ("KeyVault:Uri", "https://a-vault.vault.azure.net"));

        Assert.Null(Options(app).LocalFile);
        Assert.Equal("https://a-vault.vault.azure.net/", app.GetRequiredService<SecretClient>().VaultUri.ToString());
    }

    [Theory]
    [InlineData("KeyVault:Uri is missing", null, null)]
    [InlineData("KeyVault:Uri must be", "http://a-vault.vault.azure.net", null)]
    [InlineData("are both set", "https://a-vault.vault.azure.net", "secrets.json")]
    public async Task What_cannot_work_is_refused_by_name(string expected, string? uri, string? file)
    {
        await using var app = Compose(("KeyVault:Uri", uri), ("KeyVault:LocalFile", file));

        var refused = Assert.Throws<OptionsValidationException>(() => Options(app));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void In_Azure_a_file_is_no_vault()
    {
        var validator = new KeyVaultOptionsValidator(isRequired: () => true, runsInAzure: () => true);

        var answer = validator.Validate(null, new KeyVaultOptions { LocalFile = "secrets.json" });

        Assert.Contains("KeyVault:LocalFile is for a developer's machine", answer.FailureMessage, StringComparison.Ordinal);
    }

    private static KeyVaultOptions Options(IServiceProvider app) => app.GetRequiredService<IOptions<KeyVaultOptions>>().Value;

    private static ServiceProvider Compose(params (string Name, string? Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, s.Value)))
            .Build();
        return new ServiceCollection().AddLogging().AddBasiqFunctions(configuration).BuildServiceProvider();
    }
}
