using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.Extensions.Options;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>However a subscription comes about, there is one, and the vault has its secret.</summary>
[Trait("Category", "Unit")]
public sealed class SubscriptionsTests : IDisposable
{
    private const string Url = "https://app.example/api/webhooks/basiq";
    private const string SecretName = "basiq-webhook-secret";

    private readonly UsersScene _scene = new();

    /// <summary>What Basiq has: the subscriptions and their secrets, and of those that are not this app's the types of events.</summary>
    private readonly Dictionary<string, (string Url, string Secret, string? Events)> _atBasiq = [];

    private int _made;
    private bool _losesAnswerOfCreation;
    private bool _refusesCreation;
    private bool _refusesDeletion;
    private bool _hidesOthers;
    private bool _tellsSecretOnUpdate = true;
    private Func<string, string> _secretOf = id => "whsec_" + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"the secret of {id}"));

    public SubscriptionsTests()
    {
        _scene.Basiq.Setup(b => b.ListWebhooksAsync(It.IsAny<CancellationToken>()))
            .ReturnsAsync(() => _hidesOthers ? [] : [.. _atBasiq.Select(w => Of(w.Key, withSecret: false))]);
        _scene.Basiq.Setup(b => b.CreateWebhookAsync(It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .Returns((string url, IReadOnlyList<string> _, CancellationToken _) =>
            {
                if (_refusesCreation)
                    throw UsersScene.Failure(BasiqFailureKind.Unavailable);
                Check(null, url);
                var id = $"w{++_made}";
                _atBasiq[id] = (url, _secretOf(id), null);
                return _losesAnswerOfCreation ? throw UsersScene.Failure(BasiqFailureKind.Timeout) : Task.FromResult(Of(id, withSecret: true));
            });
        _scene.Basiq.Setup(b => b.UpdateWebhookAsync(
                It.IsAny<string>(), It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string id, string url, IReadOnlyList<string> _, CancellationToken _) =>
            {
                Check(id, url);
                _atBasiq[id] = _atBasiq[id] with { Url = url, Events = null };
                return Of(id, _tellsSecretOnUpdate);
            });
        _scene.Basiq.Setup(b => b.DeleteWebhookAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns((string id, CancellationToken _) =>
                _refusesDeletion ? throw UsersScene.Failure(BasiqFailureKind.Unavailable)
                : _atBasiq.Remove(id) ? Task.CompletedTask
                : throw UsersScene.Failure(BasiqFailureKind.NotFound));
    }

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_creation_whose_answer_is_lost_leaves_one_subscription_whose_secret_is_known(bool tellsSecretOnUpdate)
    {
        // Of a subscription of some time ago, and of no use.
        await _scene.Get<SecretClient>().SetSecretAsync(SecretName, _secretOf("w0"));
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

    [Fact]
    public async Task A_subscription_whose_secret_cannot_be_stored_is_deleted_again()
    {
        _scene.Vault.IsDown = true;
        (await SetAsync()).IsProblem(503, "dependency-unavailable");
        Assert.Empty(_atBasiq);
        Assert.Contains("Deleting new subscription w1 at Basiq", _scene.Logs.Text, StringComparison.Ordinal);

        _scene.Vault.IsDown = false;
        Assert.Equal(200, (await SetAsync()).Status);
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_can_be_neither_completed_nor_deleted_is_named_and_the_next_request_completes_it()
    {
        (_scene.Vault.IsDown, _refusesDeletion) = (true, true);
        var left = await SetAsync();
        left.IsProblem(503, "dependency-unavailable");
        Assert.Contains("Subscription w1 ", left.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("Its messages are refused", left.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);

        (_scene.Vault.IsDown, _refusesDeletion) = (false, false);
        Assert.Equal(200, (await SetAsync()).Status);
        Assert.Equal(["w1"], _atBasiq.Keys);
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_is_this_app_s_already_is_kept_when_the_vault_is_away()
    {
        Assert.Equal(200, (await SetAsync()).Status);
        _scene.Vault.IsDown = true;
        (await SetAsync()).IsProblem(503, "dependency-unavailable");
        Assert.Equal(["w1"], _atBasiq.Keys);
        Assert.True(await _scene.Get<Subscriptions>().AreExpectedAsync(default));
    }

    [Theory]
    [InlineData("whsec_")]
    [InlineData("whsec_no base64!")]
    [InlineData("whsec_AAAAA")]
    public async Task A_subscription_whose_secret_is_of_no_use_is_deleted_again(string secret)
    {
        _secretOf = _ => secret;
        (await SetAsync()).IsProblem(502, "basiq-unusable-answer");
        Assert.Empty(_atBasiq);
    }

    [Theory]
    [InlineData("https://APP.example:443/api/webhooks/basiq", true)]
    [InlineData("https://app.example/api/webhooks/basiq/", true)]
    [InlineData(Url, false)]
    public async Task A_subscription_of_the_URL_that_somebody_else_has_made_is_taken_over(string existing, bool tellsSecretOnUpdate)
    {
        _atBasiq["theirs"] = (existing, _secretOf("theirs"), """["user.created"]""");
        _tellsSecretOnUpdate = tellsSecretOnUpdate;
        var set = await SetAsync();

        Assert.Equal((200, Url), (set.Status, set.Json.GetProperty("url").GetString()));
        Assert.Equal(tellsSecretOnUpdate ? "theirs" : "w1", _atBasiq.Keys.Single());
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_comes_about_meanwhile_is_taken_over_and_not_deleted_when_the_vault_is_away()
    {
        // Not listed at the first look.
        _hidesOthers = true;
        _atBasiq["theirs"] = (Url, _secretOf("theirs"), """["user.created"]""");
        _scene.Basiq.Setup(b => b.CreateWebhookAsync(It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .Returns((string url, IReadOnlyList<string> _, CancellationToken _) =>
            {
                _hidesOthers = false;
                Check(null, url);
                throw new InvalidOperationException("It exists.");
            });
        _scene.Vault.IsDown = true;
        (await SetAsync()).IsProblem(503, "dependency-unavailable");
        Assert.Equal(["theirs"], _atBasiq.Keys);

        _scene.Vault.IsDown = false;
        Assert.Equal(200, (await SetAsync()).Status);
        await AssertOneAsync();
    }

    [Fact]
    public async Task Moving_to_a_URL_that_has_a_subscription_takes_that_over_in_place_of_the_old_one()
    {
        Assert.Equal(200, (await SetAsync()).Status);
        const string Elsewhere = "https://elsewhere.example/api/webhooks/basiq";
        _atBasiq["theirs"] = (Elsewhere, _secretOf("theirs"), """["user.created"]""");

        Assert.Equal(200, (await SetAsync(Elsewhere)).Status);

        Assert.Equal(["theirs"], _atBasiq.Keys);
        await AssertOneAsync();
    }

    [Fact]
    public async Task A_subscription_that_has_an_event_of_this_app_s_is_named_with_it()
    {
        _atBasiq["theirs"] = ("https://elsewhere.example/", _secretOf("theirs"), """["user.created","user.deleted","connection.deleted"]""");
        var refused = await SetAsync();

        refused.IsProblem(409, "event-already-subscribed");
        var detail = refused.Json.GetProperty("detail").GetString()!;
        Assert.Contains("Subscription theirs has user.deleted, connection.deleted.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("user.created", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("elsewhere.example", detail, StringComparison.Ordinal);
        Assert.Contains("Basiq says: Posted subscribedEvents contains events that are already subscribed", detail, StringComparison.Ordinal);

        // Of a subscription of this app's that would take them as well.
        _atBasiq.Clear();
        Assert.Equal(200, (await SetAsync()).Status);
        _atBasiq["theirs"] = ("https://elsewhere.example/", _secretOf("theirs"), "[]");
        _scene.Basiq.Setup(b => b.UpdateWebhookAsync("w1", Url, It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Refusal(400, "event-already-subscribed", "said"));
        refused = await SetAsync();
        refused.IsProblem(409, "event-already-subscribed");
        Assert.Contains("Subscription theirs has consent.revoked, ", refused.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_that_exists_and_is_not_listed_is_explained()
    {
        _hidesOthers = true;
        _atBasiq["theirs"] = (Url, _secretOf("theirs"), """["user.created"]""");
        var refused = await SetAsync();
        refused.IsProblem(409, "subscription-exists");
        Assert.EndsWith("Basiq says: Webhook with provided url already exists.", refused.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_Basiq_says_of_a_refusal_is_passed_on()
    {
        _scene.Basiq.Setup(b => b.CreateWebhookAsync(It.IsAny<string>(), It.IsAny<IReadOnlyList<string>>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Refusal(400, "invalid-content", "Posted request not valid."));
        var refused = await SetAsync();
        refused.IsProblem(400, "invalid-input");
        Assert.Equal("Basiq refused the request. Basiq says: Posted request not valid.", refused.Json.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("Webhooks:Table", "No-Table")]
    [InlineData("Webhooks:RememberFor", "7.23:59:59")]
    [InlineData("Webhooks:RememberFor", "91.00:00:00")]
    [InlineData("Webhooks:SecretOverlap", "-00:00:01")]
    [InlineData("Webhooks:SecretOverlap", "31.00:00:00")]
    public void A_wrong_setting_stops_the_start(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        var thrown = Assert.Throws<OptionsValidationException>(() => scene.Get<IStartupValidator>().Validate());
        Assert.Contains(key, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Webhooks:RememberFor", "8.00:00:00")]
    [InlineData("Webhooks:SecretOverlap", "00:00:00")]
    public void The_least_that_works_is_taken(string key, string value)
    {
        using var scene = new UsersScene(settings: new() { [key] = value });
        scene.Get<IStartupValidator>().Validate();
    }

    private Webhook Of(string id, bool withSecret) => Webhook.Parse(
        $$"""{"id":"{{id}}","url":"{{_atBasiq[id].Url}}","status":"active","subscribedEvents":{{_atBasiq[id].Events ?? Needed}}{{(withSecret ? $",\"secret\":\"{_atBasiq[id].Secret}\"" : "")}}}""");

    private static string Needed => JsonSerializer.Serialize(EventTypes.Subscribed);

    /// <summary>A URL has one subscription, and so has each type of event.</summary>
    private void Check(string? id, string url)
    {
        var others = _atBasiq.Where(w => w.Key != id).ToArray();
        if (others.Any(w => new Uri(w.Value.Url) == new Uri(url)))
            throw Refusal(409, "resource-already-exists", "Webhook with provided url already exists.");
        if (others.Any(w => w.Value.Events is null || EventTypes.Subscribed.Any(type => w.Value.Events.Contains(type, StringComparison.Ordinal))))
            throw Refusal(400, "event-already-subscribed", "Posted subscribedEvents contains events that are already subscribed to for this application.");
    }

    private static BasiqException Refusal(int status, string code, string detail) =>
        new(new BasiqFailure(status == 400 ? BasiqFailureKind.Invalid : BasiqFailureKind.Other, code)
        {
            StatusCode = status,
            Endpoint = "POST /notifications/webhooks",
            Detail = detail,
        });

    private Task<Answer> SetAsync(string url = Url) =>
        _scene.CallAsync<WebhookFunctions>((f, r) => f.SetWebhookSubscription(r, default), $$"""{"url":"{{url}}"}""");

    private async Task AssertOneAsync()
    {
        var (_, (_, secret, _)) = Assert.Single(_atBasiq);
        Assert.Equal(secret, (await _scene.Get<SecretClient>().GetSecretAsync(SecretName)).Value.Value);
        Assert.True(await _scene.Get<Subscriptions>().AreExpectedAsync(default));
    }
}
