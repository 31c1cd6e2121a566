using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>However a subscription comes about, there is one, and the vault has its secret.</summary>
public sealed class SubscriptionsTests : IDisposable
{
    private const string Url = "https://app.example/api/webhooks/basiq";
    private const string SecretName = "basiq-webhook-secret";

    private readonly UsersScene _scene = new();

    /// <summary>What Basiq has: the subscriptions and their secrets.</summary>
    private readonly Dictionary<string, (string Url, string Secret)> _atBasiq = [];

    private int _made;
    private bool _losesAnswerOfCreation;
    private bool _refusesCreation;
    private bool _tellsSecretOnUpdate = true;

    public SubscriptionsTests()
    {
        _scene.Basiq.Setup(b => b.ListWebhooksAsync(It.IsAny<CancellationToken>()))
            .ReturnsAsync(() => [.. _atBasiq.Select(w => Of(w.Key, withSecret: false))]);
        _scene.Basiq.Setup(b => b.CreateWebhookAsync(It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .Returns((string url, IReadOnlyList<string> _, CancellationToken _) =>
            {
                if (_refusesCreation)
                    throw UsersScene.Failure(BasiqFailureKind.Unavailable);
                if (_atBasiq.Values.Any(w => w.Url == url))
                    throw UsersScene.Failure(BasiqFailureKind.Invalid);
                var id = $"w{++_made}";
                _atBasiq[id] = (url, SecretOf(id));
                return _losesAnswerOfCreation ? throw UsersScene.Failure(BasiqFailureKind.Timeout) : Task.FromResult(Of(id, withSecret: true));
            });
        _scene.Basiq.Setup(b => b.UpdateWebhookAsync(
                It.IsAny<string>(), It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string id, string url, IReadOnlyList<string> _, CancellationToken _) =>
            {
                _atBasiq[id] = _atBasiq[id] with { Url = url };
                return Of(id, _tellsSecretOnUpdate);
            });
        _scene.Basiq.Setup(b => b.DeleteWebhookAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns((string id, CancellationToken _) => _atBasiq.Remove(id) ? Task.CompletedTask : throw UsersScene.Failure(BasiqFailureKind.NotFound));
    }

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_creation_whose_answer_is_lost_leaves_one_subscription_whose_secret_is_known(bool tellsSecretOnUpdate)
    {
        // Of a subscription of some time ago, and of no use.
        await _scene.Get<SecretClient>().SetSecretAsync(SecretName, SecretOf("w0"));
        (_losesAnswerOfCreation, _tellsSecretOnUpdate) = (true, tellsSecretOnUpdate);

        if (tellsSecretOnUpdate)
        {
            Assert.Equal(200, (await SetAsync()).Status);
        }
        else
        {
            var lost = await SetAsync();
            Assert.Equal((502, "basiq-unusable-answer"), (lost.Status, lost.Json.GetProperty("code").GetString()));
            Assert.False(await _scene.Get<Subscriptions>().AreExpectedAsync(default));
            _losesAnswerOfCreation = false;
            Assert.Equal(200, (await SetAsync()).Status);
        }

        await AssertOneAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_secret_that_the_vault_has_lost_is_had_anew(bool tellsSecretOnUpdate)
    {
        Assert.Equal(200, (await SetAsync()).Status);
        _tellsSecretOnUpdate = tellsSecretOnUpdate;
        var vault = _scene.Get<SecretClient>();
        await vault.UpdateSecretPropertiesAsync(new SecretProperties((await vault.GetSecretAsync(SecretName)).Value.Id) { Enabled = false });

        Assert.Equal(200, (await SetAsync()).Status);

        await AssertOneAsync();
        Assert.Equal(tellsSecretOnUpdate ? "w1" : "w2", _atBasiq.Keys.Single());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Asking_again_keeps_the_subscription_and_its_secret_and_takes_a_new_url(bool tellsSecretOnUpdate)
    {
        Assert.Equal(200, (await SetAsync()).Status);
        _tellsSecretOnUpdate = tellsSecretOnUpdate;
        Assert.Equal(200, (await SetAsync()).Status);
        var moved = await SetAsync("https://elsewhere.example/api/webhooks/basiq");

        Assert.Equal("https://elsewhere.example/api/webhooks/basiq", moved.Json.GetProperty("url").GetString());
        Assert.Equal(["w1"], _atBasiq.Keys);
        await AssertOneAsync();
        var versions = 0;
        await foreach (var _ in _scene.Get<SecretClient>().GetPropertiesOfSecretVersionsAsync(SecretName))
            versions++;
        Assert.Equal(1, versions);
    }

    [Fact]
    public async Task A_vault_that_is_away_leaves_nothing_that_the_next_request_does_not_mend()
    {
        _scene.Vault.IsDown = true;
        Assert.Equal(503, (await SetAsync()).Status);
        Assert.False(await _scene.Get<Subscriptions>().AreExpectedAsync(default));

        (_scene.Vault.IsDown, _tellsSecretOnUpdate) = (false, false);
        Assert.Equal(200, (await SetAsync()).Status);
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_goes_and_does_not_come_back_is_not_counted_on()
    {
        Assert.Equal(200, (await SetAsync()).Status);
        var vault = _scene.Get<SecretClient>();
        await vault.UpdateSecretPropertiesAsync(new SecretProperties((await vault.GetSecretAsync(SecretName)).Value.Id) { Enabled = false });
        (_tellsSecretOnUpdate, _refusesCreation) = (false, true);
        Assert.Equal(503, (await SetAsync()).Status);
        Assert.False(await _scene.Get<Subscriptions>().AreExpectedAsync(default));

        _refusesCreation = false;
        Assert.Equal(200, (await SetAsync()).Status);
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_somebody_has_deleted_at_Basiq_is_made_anew()
    {
        Assert.Equal(200, (await SetAsync()).Status);
        _atBasiq.Clear();
        Assert.Equal(200, (await SetAsync()).Status);
        await AssertOneAsync();
    }

    [Theory]
    [InlineData("Webhooks:Table", "No-Table")]
    [InlineData("Webhooks:RememberFor", "1.23:59:59")]
    [InlineData("Webhooks:RememberFor", "91.00:00:00")]
    [InlineData("Webhooks:SecretOverlap", "-00:00:01")]
    [InlineData("Webhooks:SecretOverlap", "31.00:00:00")]
    [InlineData("Webhooks:RefreshEvery", "00:00:59")]
    [InlineData("Webhooks:RefreshEvery", "31.00:00:00")]
    public void A_wrong_setting_stops_the_start(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        var thrown = Assert.Throws<OptionsValidationException>(() => scene.Get<IStartupValidator>().Validate());
        Assert.Contains(key, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Webhooks:RememberFor", "2.00:00:00")]
    [InlineData("Webhooks:SecretOverlap", "00:00:00")]
    [InlineData("Webhooks:RefreshEvery", "00:01:00")]
    public void The_least_that_works_is_taken(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        scene.Get<IStartupValidator>().Validate();
    }

    private static string SecretOf(string id) => "whsec_" + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"the secret of {id}"));

    private Webhook Of(string id, bool withSecret) => Webhook.Parse(
        $$"""{"id":"{{id}}","url":"{{_atBasiq[id].Url}}","status":"active"{{(withSecret ? $",\"secret\":\"{_atBasiq[id].Secret}\"" : "")}}}""");

    private Task<Answer> SetAsync(string url = Url) =>
        _scene.CallAsync<WebhookFunctions>((f, r) => f.SetWebhookSubscription(r, default), $$"""{"url":"{{url}}"}""");

    private async Task AssertOneAsync()
    {
        var (_, (_, secret)) = Assert.Single(_atBasiq);
        Assert.Equal(secret, (await _scene.Get<SecretClient>().GetSecretAsync(SecretName)).Value.Value);
        Assert.True(await _scene.Get<Subscriptions>().AreExpectedAsync(default));
    }
}
