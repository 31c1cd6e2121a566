using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Basiq;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Tests.Platform.Vault;

[Trait("Category", "Unit")]
public sealed class RandomSecretTests : IDisposable
{
    private readonly WatchedClock _clock = new();
    private readonly StubKeyVault _vault;

    public RandomSecretTests() => _vault = new(_clock);

    public void Dispose() => _vault.Dispose();

    [Fact]
    public async Task A_secret_is_made_once_and_read_from_then_on()
    {
        var first = await GetAsync();
        var second = await GetAsync();

        Assert.Equal(first, second);
        Assert.Equal(32, Convert.FromBase64String(Encoding.UTF8.GetString(first)).Length);
        Assert.Single(_vault.Versions(SecretNames.ConsentStateKey));
    }

    [Fact]
    public async Task Two_instances_that_race_agree_and_so_do_all_that_come_later()
    {
        byte[]? other = null;
        _vault.BeforeStore = () =>
        {
            _vault.BeforeStore = null;
            other = GetAsync().GetAwaiter().GetResult();
            _clock.Advance(TimeSpan.FromMilliseconds(5));
        };

        var mine = await GetAsync();

        Assert.NotNull(other);
        Assert.Equal(other, await GetAsync());
        Assert.Equal(other, mine);
    }

    [Fact]
    public async Task Nobody_takes_the_version_of_an_instance_that_is_about_to_give_it_up()
    {
        var first = await GetAsync();
        _clock.Advance(TimeSpan.FromDays(1));

        // What an instance stores that found no secret, before it has looked who was first.
        _vault.Put(
            SecretNames.ConsentStateKey, "loser", tags: new JsonObject { ["madeAt"] = _clock.GetUtcNow().ToString("O", CultureInfo.InvariantCulture) });

        Assert.Equal(first, await GetAsync());
    }

    [Fact]
    public async Task A_version_that_somebody_stored_by_hand_is_taken_at_once()
    {
        await GetAsync();
        _vault.Put(SecretNames.ConsentStateKey, "by-hand");

        Assert.Equal("by-hand"u8.ToArray(), await GetAsync());
    }

    [Fact]
    public async Task Key_Vault_being_down_is_not_taken_for_a_secret_that_is_missing()
    {
        _vault.Outage = () => StubKeyVault.Failure(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable");

        await Assert.ThrowsAsync<RequestFailedException>(GetAsync);

        _vault.Outage = null;
        Assert.Empty(_vault.Versions(SecretNames.ConsentStateKey));
    }

    private Task<byte[]> GetAsync() =>
        RandomSecret.GetOrCreateAsync(_vault.CreateClient(), SecretNames.ConsentStateKey, _clock, NullLogger.Instance, CancellationToken.None);
}
