using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Azure;
using Azure.Identity;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Consents;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Platform.Vault;

/// <summary>The tokens and secrets of the app with a Key Vault that speaks its own protocol over HTTPS, in good and in bad times.</summary>
[Trait("Category", "Journeys")]
public sealed class KeyVaultTests : IAsyncLifetime, IDisposable
{
    private readonly WatchedClock _clock = new();
    private readonly StubBasiq _basiq = new();
    private readonly LogCapture _logs = new();
    private readonly List<ServiceProvider> _instances = [];
    private KeyVaultServer _vault = null!;

    public async Task InitializeAsync() => _vault = await KeyVaultServer.StartAsync(_clock);

    public async Task DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeByAsync(_clock);
        await _vault.DisposeAsync();
    }

    public void Dispose()
    {
        _basiq.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public async Task A_token_is_stored_with_its_expiry_and_tags_and_the_next_instance_takes_it()
    {
        var token = await Instance().GetAsync();

        var stored = Assert.Single(_vault.Versions(SecretNames.ServerToken));
        Assert.Equal(("server-token-1", token.ExpiresAt), (stored.Value, stored.ExpiresOn));
        Assert.Equal("Basiq SERVER_ACCESS token", stored.ContentType);
        Assert.Equal("SERVER_ACCESS", (string?)stored.Tags["scope"]);
        Assert.Equal(token.MintedAt.ToString("O", CultureInfo.InvariantCulture), (string?)stored.Tags["mintedAt"]);

        var read = await Instance().GetAsync();
        Assert.Equal((token.Value, token.MintedAt, token.ExpiresAt), (read.Value, read.MintedAt, read.ExpiresAt));
        Assert.Single(_basiq.Mints);
    }

    [Fact]
    public async Task A_credential_is_sent_after_the_challenge_and_for_Key_Vault_alone()
    {
        await Instance().GetAsync();

        var stranger = Assert.Single(_vault.Strangers);
        Assert.Equal(("GET", ""), (stranger.Method, stranger.Body));
        Assert.All(_vault.CredentialRequests, asked => Assert.Equal(["https://vault.azure.net/.default"], asked.Scopes));
    }

    [Fact]
    public async Task A_host_that_asks_for_a_credential_of_another_resource_gets_none()
    {
        _vault.Resource = "https://elsewhere.example";

        var token = await Instance().GetAsync();

        Assert.Equal("server-token-1", token.Value);
        Assert.Empty(_vault.CredentialRequests);
        Assert.Empty(_vault.Requests);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5_000)]
    public async Task A_refresh_costs_Key_Vault_the_same_whatever_the_number_of_versions(int versions)
    {
        for (var i = 1; i < versions; i++)
            _vault.Put(SecretNames.ServerToken, $"old-{i}", _clock.GetUtcNow().AddHours(-1), enabled: i == versions - 1);
        var tokens = Instance();
        await tokens.RefreshAsync();
        var before = _vault.Requests.Count;

        await tokens.RefreshAsync();

        Assert.Equal(["GET", "PATCH", "PUT"], _vault.Requests.Skip(before).Select(request => request.Method));
        Assert.Equal(["server-token-1", "server-token-2"], EnabledTokens());
        Assert.Equal(versions + 1, _vault.Versions(SecretNames.ServerToken).Count);
    }

    [Fact]
    public async Task A_disabled_version_keeps_its_expiry_and_tags()
    {
        var tokens = Instance();
        var first = await tokens.RefreshAsync();
        await tokens.RefreshAsync();
        await tokens.RefreshAsync();

        var disabled = Assert.Single(_vault.Versions(SecretNames.ServerToken), version => !version.IsEnabled);
        Assert.Equal((first.Value, first.ExpiresAt, "SERVER_ACCESS"), (disabled.Value, disabled.ExpiresOn, (string?)disabled.Tags["scope"]));
    }

    /// <summary>Instances die at each of a refresh's three requests; the next ones leave nothing behind.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    public async Task Instances_that_die_in_the_middle_of_a_refresh_one_after_another_leave_no_version_enabled_for_good(string dies)
    {
        var tokens = Instance();
        await tokens.RefreshAsync();
        await tokens.RefreshAsync();
        for (var died = 0; died < 3; died++)
        {
            var before = _vault.Requests.Count;
            _vault.Refuse = request => request.Method == dies ? new(400, "Gone") : null;
            await Instance().RefreshAsync();
            _vault.Refuse = _ => null;
            Assert.True(_vault.Requests.Count > before);
        }

        var last = await Instance().RefreshAsync();

        var enabled = EnabledTokens();
        Assert.Equal(2, enabled.Count);
        Assert.Equal(last.Value, enabled[^1]);
    }

    [Fact]
    public async Task A_disabled_latest_version_is_no_token_and_no_failure()
    {
        _vault.Put(SecretNames.ServerToken, "switched-off", _clock.GetUtcNow().AddHours(1), enabled: false);
        var tokens = Instance();

        Assert.Equal("server-token-1", (await tokens.GetAsync()).Value);
        Assert.Null(tokens.GetHealth().KeyVaultError);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_deleted_token_is_recovered_and_the_new_one_stored_over_it(int looks)
    {
        _vault.LooksUntilRecovered = looks;
        _vault.Put(SecretNames.ServerToken, "old-token", _clock.GetUtcNow().AddMinutes(-1));
        _vault.Delete(SecretNames.ServerToken);
        var tokens = Instance();

        Assert.Equal("server-token-1", (await tokens.GetAsync()).Value);

        Assert.Equal(["old-token", "server-token-1"], _vault.Versions(SecretNames.ServerToken).Select(version => version.Value));
        Assert.Null(tokens.GetHealth().KeyVaultError);
        Assert.Equal("server-token-1", (await Instance().GetAsync()).Value);
        Assert.Single(_basiq.Mints);
        Assert.Contains("[1109] Recovered deleted secret basiq-server-token", _logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SecretNames.ConsentStateKey)]
    [InlineData(SecretNames.IdempotencySealKey)]
    public async Task A_deleted_key_is_recovered_and_used_since_what_it_signed_and_sealed_is_still_around(string name)
    {
        var before = await SecretAsync(name);
        _clock.Advance(TimeSpan.FromDays(1));
        _vault.Delete(name);

        // Two instances at once, of which one finds the recovery under way; or done just before it stores a secret of its own.
        _vault.LooksUntilRecovered = 1;
        var both = Task.WhenAll(SecretAsync(name), SecretAsync(name));
        await _clock.RunUntilAsync(both, TimeSpan.FromMilliseconds(5));

        Assert.All(await both, after => Assert.Equal(before, after));
        Assert.Equal(before, _vault.Versions(name)[^1].Value);
    }

    [Fact]
    public async Task Making_a_notification_secret_after_all_were_deleted_brings_the_others_back()
    {
        using var folder = new TemporaryDirectory();
        using var tables = SqliteRecordTables.Open(Path.Combine(folder.Path, "records.db"));
        var first = await Secrets().MakeAsync("first", default);
        _vault.Delete(SecretNames.NotificationSecrets);

        var second = await Secrets().MakeAsync("second", default);

        Assert.Equal(StandardWebhooks.KeyOf(first), Assert.Single(await Secrets().GetKeysAsync("first", default)));
        Assert.Equal(StandardWebhooks.KeyOf(second), Assert.Single(await Secrets().GetKeysAsync("second", default)));

        NotificationSecrets Secrets() => new(
            _vault.CreateClient(), ((IRecordTables)tables).Open("Notifications"), Options.Create(new NotificationOptions()), TimeProvider.System,
            new Logger<NotificationSecrets>(new LoggerFactory([_logs])));
    }

    [Fact]
    public async Task Two_instances_that_refresh_at_once_end_with_one_token()
    {
        var (one, other) = (Instance(), Instance());
        var bothAreStoring = new Rendezvous(2);
        _vault.Before = request => request.Method == "PUT" ? bothAreStoring.ArriveAsync() : Task.CompletedTask;

        var minted = await Task.WhenAll(one.RefreshAsync(), other.RefreshAsync());
        Assert.NotEqual(minted[0].Value, minted[1].Value);
        _vault.Before = _ => Task.CompletedTask;
        var latest = _vault.Versions(SecretNames.ServerToken)[^1].Value;

        _clock.Advance(ServerTokenProvider.SettleAfter);
        await WaitAsync(async () => (await one.GetAsync()).Value == latest && (await other.GetAsync()).Value == latest);

        // And on from there: they agree to the end, for one mint.
        Assert.Equal(2, _basiq.Mints.Count);
        _clock.Advance(TimeSpan.FromMinutes(54));
        await one.GetAsync();
        Assert.Equal((await one.GetAsync()).Value, (await other.GetAsync()).Value);
        Assert.Equal(3, _basiq.Mints.Count);

        // The token that lost is disabled by whoever had stored it, for no later one names it.
        await WaitAsync(() => Task.FromResult(_vault.Versions(SecretNames.ServerToken).Count(version => !version.IsEnabled) == 1));
        Assert.Equal([latest, "server-token-3"], EnabledTokens());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, 0)]
    [InlineData(1, -1)]
    [InlineData(-1, 1)]
    public async Task Clocks_that_are_a_minute_off_use_no_expired_token_and_cost_no_mint(int minutesOfOne, int minutesOfOther)
    {
        FakeTimeProvider[] clocks =
        [
            new(_clock.GetUtcNow().AddMinutes(minutesOfOne)), new(_clock.GetUtcNow().AddMinutes(minutesOfOther)),
        ];
        var expiries = new ConcurrentDictionary<string, DateTimeOffset>();
        _basiq.Mint = (_, before, _) =>
        {
            expiries[$"token-{before}"] = _clock.GetUtcNow().AddHours(1);
            return Task.FromResult(StubBasiq.Json(StubBasiq.TokenJson($"token-{before}")));
        };
        IServerTokenProvider[] instances = [Instance(clocks[0]), Instance(clocks[1])];

        for (var minute = 0; minute < 6 * 60; minute++)
        {
            foreach (var instance in instances)
                Assert.True(expiries[(await instance.GetAsync()).Value] > _clock.GetUtcNow(), $"Expired at minute {minute}.");
            foreach (var clock in clocks.Append(_clock))
                clock.Advance(TimeSpan.FromMinutes(1));
        }

        // One each 53 to 55 minutes, whoever mints it.
        Assert.InRange(_basiq.Mints.Count, 6, 7);
    }

    [Fact]
    public async Task A_Key_Vault_that_throttles_is_waited_for_as_long_as_it_asks()
    {
        var throttled = 0;
        _vault.Refuse = request => request.Method == "PUT" && Interlocked.Increment(ref throttled) == 1
            ? new(429, "Throttled", RetryAfter: "1")
            : null;
        var tokens = Instance();

        await tokens.GetAsync();

        Assert.Single(_vault.Versions(SecretNames.ServerToken));
        Assert.Null(tokens.GetHealth().KeyVaultError);
        var puts = _vault.Requests.Where(request => request.Method == "PUT").ToList();
        Assert.Equal(2, puts.Count);
        Assert.True(TimeProvider.System.GetElapsedTime(puts[0].Timestamp, puts[1].Timestamp) >= TimeSpan.FromSeconds(0.9));
    }

    [Fact]
    public async Task A_Key_Vault_that_throttles_for_long_is_done_without()
    {
        _vault.Refuse = _ => new(429, "Throttled", RetryAfter: "600");
        var tokens = Instance();

        var token = tokens.GetAsync().AsTask();
        await PassPatienceAsync(token, () => _vault.Requests.Count);

        Assert.Equal("server-token-1", (await token).Value);
        Assert.Equal("timeout", tokens.GetHealth().KeyVaultError);

        // The token, the API key, what the new token is to replace: each asked for once, for the wait does not fit into anyone's patience.
        Assert.Equal(
            ["GET /secrets/basiq-server-token", "GET /secrets/basiq-api-key", "GET /secrets/basiq-server-token"],
            _vault.Requests.Select(request => $"{request.Method} {request.Path}"));
    }

    [Fact]
    public async Task A_Key_Vault_that_errs_is_tried_four_times()
    {
        _vault.Refuse = request => request.Method == "GET" ? new(503, "ServiceUnavailable") : null;

        await Instance().GetAsync();

        // To find a token, and to find what the new one is to replace: that being unknown, it is not stored.
        Assert.Equal(
            2 * (1 + KeyVaultClient.MaxRetries),
            _vault.Requests.Count(request => request.Method == "GET" && request.Path == "/secrets/" + SecretNames.ServerToken));
        Assert.Empty(_vault.Versions(SecretNames.ServerToken));
    }

    [Fact]
    public async Task Without_the_role_the_log_names_it_and_the_app_lives_on()
    {
        _vault.Refuse = _ => new(403, "Forbidden", "ForbiddenByRbac");
        var tokens = Instance();

        var token = await tokens.GetAsync();
        _clock.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal(token.Value, (await tokens.GetAsync()).Value);

        // A look for another instance's token is under way in the background, and is not to time out.
        await WaitAsync(() => Task.FromResult(_logs.Lines.Count(line => line.Contains("read secret basiq-server-token", StringComparison.Ordinal)) == 2));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("server-token-2", (await tokens.GetAsync()).Value);

        Assert.Equal("ForbiddenByRbac", tokens.GetHealth().KeyVaultError);
        Assert.Contains(
            "[1108] Key Vault denied this app permission to store secret basiq-server-token (ForbiddenByRbac). Grant the app's identity the role "
            + "Key Vault Secrets Officer on the secret or the vault.",
            _logs.Text,
            StringComparison.Ordinal);
        Assert.Contains(
            "read secret basiq-api-key (ForbiddenByRbac). Grant the app's identity the role Key Vault Secrets User on",
            _logs.Text,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<RequestFailedException>(() => SecretAsync(SecretNames.ConsentStateKey));
        Assert.Contains("read or make secret consent-state-key (ForbiddenByRbac). Grant the app's identity the role Key Vault Secrets Officer", _logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_firewall_of_the_vault_is_not_taken_for_a_missing_role()
    {
        _vault.Refuse = _ => new(403, "Forbidden", "ForbiddenByFirewall");

        await Instance().GetAsync();

        Assert.Contains("[1103] Key Vault failed to store secret basiq-server-token: ForbiddenByFirewall.", _logs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("[1108]", _logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_every_request_meets_is_told_once_a_minute_with_how_often()
    {
        var logger = new Logger<KeyVaultTests>(new LoggerFactory([_logs]));
        for (var i = 0; i < 3; i++)
            Report();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Report();

        string[] lines = [.. _logs.Text.Split('\n').Where(line => line.Contains("[1103]", StringComparison.Ordinal))];
        Assert.Equal(2, lines.Length);
        Assert.Contains("failed to read secret a-secret: http-503. Failures since the last message: 3.", lines[1], StringComparison.Ordinal);

        void Report() => KeyVaultErrors.Report(logger, _clock, "read", "a-secret", new RequestFailedException(503, "away"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_Key_Vault_unreachable_the_app_lives_on_and_says_so(bool listens)
    {
        var tokens = Instance();
        var states = new ConsentStates(
            _vault.CreateClient(), Options.Create(new ConsentOptions()), _clock, new Logger<ConsentStates>(new LoggerFactory([_logs])));
        var token = await tokens.GetAsync();
        var state = await states.IssueAsync(new("user-1"), null, CancellationToken.None);
        _vault.IsDown = true;
        if (!listens)
            await _vault.StopAsync();

        _clock.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal(token.Value, (await tokens.GetAsync()).Value);
        Assert.NotNull(await states.VerifyAsync(state, CancellationToken.None));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("server-token-2", (await tokens.GetAsync()).Value);

        Assert.Equal("unreachable", tokens.GetHealth().KeyVaultError);
        Assert.Contains("[1103] Key Vault failed to store secret basiq-server-token: unreachable.", _logs.Text, StringComparison.Ordinal);
        var failure = await Record.ExceptionAsync(() => SecretAsync(SecretNames.IdempotencySealKey));
        Assert.True(failure is not null && KeyVaultErrors.IsAway(failure), failure?.ToString());
    }

    [Fact]
    public async Task A_Key_Vault_that_never_answers_is_waited_for_five_seconds()
    {
        _vault.IsStuck = true;
        var tokens = Instance();
        var before = _clock.GetUtcNow();

        var token = tokens.GetAsync().AsTask();
        await PassPatienceAsync(token, () => _vault.Strangers.Count);

        Assert.Equal("server-token-1", (await token).Value);
        Assert.Equal("timeout", tokens.GetHealth().KeyVaultError);

        // The API key, the token to read, the token to store: five seconds each.
        Assert.InRange(_clock.GetUtcNow() - before, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task The_API_key_of_the_vault_goes_before_the_setting_and_a_new_version_is_taken_up()
    {
        _vault.Put(SecretNames.ApiKey, "vault-key-1");
        var tokens = Instance();
        await tokens.RefreshAsync();
        _vault.Put(SecretNames.ApiKey, "vault-key-2");
        _clock.Advance(TimeSpan.FromMinutes(20));

        await tokens.RefreshAsync();

        Assert.Equal(["Basic vault-key-1", "Basic vault-key-2"], _basiq.Mints.Select(request => request.Authorization));
    }

    [Fact]
    public async Task Nothing_that_the_vault_holds_is_in_the_log()
    {
        _vault.Put(SecretNames.ApiKey, "vault-key-1");
        var tokens = Instance();
        await tokens.RefreshAsync();
        _vault.Refuse = _ => new(403, "Forbidden", "ForbiddenByRbac");
        await tokens.RefreshAsync();
        _vault.Refuse = _ => null;
        _vault.Delete(SecretNames.ServerToken);
        await tokens.RefreshAsync();

        Assert.Contains("[1109]", _logs.Text, StringComparison.Ordinal);
        foreach (var secret in new[] { "vault-key", "server-token-1", "server-token-2", "server-token-3", "vault-access" })
            Assert.DoesNotContain(secret, _logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void In_Azure_the_managed_identity_alone_signs_in()
    {
        var environment = new Dictionary<string, string?> { [AppCredential.IdentityEndpoint] = "http://localhost:4141/msi/token" };
        Assert.IsType<ManagedIdentityCredential>(AppCredential.Choose(environment.GetValueOrDefault));
        Assert.Equal(ManagedIdentityId.SystemAssigned.ToString(), AppCredential.Identity(environment.GetValueOrDefault).ToString());

        environment[AppCredential.ClientId] = "b1f2c3d4-0000-4000-8000-000000000001";
        Assert.Equal(
            ManagedIdentityId.FromUserAssignedClientId("b1f2c3d4-0000-4000-8000-000000000001").ToString(),
            AppCredential.Identity(environment.GetValueOrDefault).ToString());
        Assert.NotEqual(ManagedIdentityId.SystemAssigned.ToString(), AppCredential.Identity(environment.GetValueOrDefault).ToString());

        // AzureWebJobsStorage__clientId may name another one for the storage.
        const string storage = "b1f2c3d4-0000-4000-8000-000000000002";
        Assert.Equal(
            ManagedIdentityId.FromUserAssignedClientId(storage).ToString(),
            AppCredential.Identity(environment.GetValueOrDefault, storage).ToString());
    }

    [Fact]
    public void Elsewhere_only_the_developer_s_tools_sign_in()
    {
        Assert.IsType<DefaultAzureCredential>(AppCredential.Choose(_ => null));
        var options = AppCredential.DeveloperTools();
        var left = typeof(DefaultAzureCredentialOptions).GetProperties()
            .Where(property => property.Name.StartsWith("Exclude", StringComparison.Ordinal) && property.GetValue(options) is false)
            .Select(property => property.Name["Exclude".Length..^"Credential".Length]);

        // A version of the library that brings one more is to be looked at.
        string[] tools = ["AzureCli", "AzureDeveloperCli", "AzurePowerShell", "Broker", "VisualStudio", "VisualStudioCode"];
        Assert.Equal(tools, left.Order(StringComparer.Ordinal));
    }

    private List<string> EnabledTokens() =>
        [.. _vault.Versions(SecretNames.ServerToken).Where(version => version.IsEnabled).Select(version => version.Value)];

    private IServerTokenProvider Instance(TimeProvider? clock = null)
    {
        var services = ClientUnderTest.Compose(clock ?? _clock, _basiq, _vault.CreateClient(), _logs);
        _instances.Add(services);
        return services.GetRequiredService<IServerTokenProvider>();
    }

    private async Task<string> SecretAsync(string name)
    {
        var logger = new LoggerFactory([_logs]).CreateLogger<KeyVaultTests>();
        return Encoding.UTF8.GetString(
            await RandomSecret.GetOrCreateAsync(_vault.CreateClient(), name, _clock, logger, CancellationToken.None));
    }

    /// <summary>Lets five seconds pass for each request that has come, until a task has ended: the clock would go faster than TLS.</summary>
    private async Task PassPatienceAsync(Task task, Func<int> came)
    {
        for (var seen = 0; ;)
        {
            await WaitAsync(() => Task.FromResult(task.IsCompleted || came() > seen));
            if (task.IsCompleted)
                return;
            seen = came();
            _clock.Advance(TimeSpan.FromSeconds(5));
        }
    }

    private static async Task WaitAsync(Func<Task<bool>> condition) => await AppUnderTest.WaitForAsync(condition, isSo => isSo);

    /// <summary>Lets nobody on before all have come.</summary>
    private sealed class Rendezvous(int count)
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = count;

        public Task ArriveAsync()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                _all.SetResult();
            return _all.Task;
        }
    }
}
