using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault.LocalVault;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Platform.Vault;

/// <summary>The real secret client against the local vault: what the app relies on works as in Key Vault.</summary>
[Trait("Category", "Unit")]
public sealed class LocalKeyVaultTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_secret_is_read_back_with_its_attributes_by_another_process_too()
    {
        var expiry = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var secret = new KeyVaultSecret("a-secret", "v1") { Properties = { ExpiresOn = expiry, ContentType = "text/plain", Tags = { ["a"] = "b" } } };
        var stored = await Client().SetSecretAsync(secret);

        var read = (await Client().GetSecretAsync("a-secret")).Value;

        Assert.Equal("v1", read.Value);
        Assert.Equal(stored.Value.Properties.Version, read.Properties.Version);
        Assert.Equal(expiry, read.Properties.ExpiresOn);
        Assert.Equal("text/plain", read.Properties.ContentType);
        Assert.Equal("b", read.Properties.Tags["a"]);
        Assert.True(read.Properties.Enabled);
    }

    [Fact]
    public async Task Versions_are_listed_and_a_disabled_one_is_refused()
    {
        var client = Client();
        var first = (await client.SetSecretAsync("a-secret", "v1")).Value;
        var second = (await client.SetSecretAsync("a-secret", "v2")).Value;
        Assert.Equal("v2", (await client.GetSecretAsync("a-secret")).Value.Value);

        first.Properties.Enabled = false;
        await client.UpdateSecretPropertiesAsync(first.Properties);

        var versions = await client.GetPropertiesOfSecretVersionsAsync("a-secret").ToListAsync();
        Assert.Equal([first.Properties.Version, second.Properties.Version], versions.Select(v => v.Version));
        Assert.Equal([false, true], versions.Select(v => v.Enabled));
        var refused = await Assert.ThrowsAsync<RequestFailedException>(
            () => client.GetSecretAsync("a-secret", first.Properties.Version));
        Assert.Equal(403, refused.Status);
    }

    [Fact]
    public async Task A_vault_whose_file_is_out_of_reach_is_down_and_forgets_nothing()
    {
        var client = Client();
        await client.SetSecretAsync("a-secret", "v1");
        var file = Assert.Single(_folder.Files);
        File.Move(file, file + ".away");
        Directory.CreateDirectory(file);

        var read = await Assert.ThrowsAsync<RequestFailedException>(() => Client().GetSecretAsync("a-secret"));
        var written = await Assert.ThrowsAsync<RequestFailedException>(() => client.SetSecretAsync("a-secret", "v2"));
        Directory.Delete(file);
        File.Move(file + ".away", file);

        Assert.Equal((503, 503), (read.Status, written.Status));
        Assert.Equal("v1", (await client.GetSecretAsync("a-secret")).Value.Value);
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_not_found()
    {
        var missing = await Assert.ThrowsAsync<RequestFailedException>(() => Client().GetSecretAsync("nothing"));

        Assert.Equal((404, "SecretNotFound"), (missing.Status, missing.ErrorCode));
    }

    [Fact]
    public async Task Many_writers_at_once_lose_nothing()
    {
        var client = Client();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.SetSecretAsync($"secret-{i % 5}", $"{i}")));

        for (var i = 0; i < 5; i++)
            Assert.Equal(10, (await Client().GetPropertiesOfSecretVersionsAsync($"secret-{i}").ToListAsync()).Count);
    }

    private SecretClient Client() => new(
        LocalKeyVaultTransport.VaultUri,
        new LocalCredential(),
        new SecretClientOptions
        {
            Retry = { MaxRetries = 0 },
            Transport = new LocalKeyVaultTransport(
                new LocalKeyVault(Path.Combine(_folder.Path, "keyvault.json"), new FakeTimeProvider())),
        });
}
