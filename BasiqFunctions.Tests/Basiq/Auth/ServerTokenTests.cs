using System.Globalization;
using System.Net;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Basiq.Auth;

[Trait("Category", "Journeys")]
public sealed class ServerTokenTests
{
    private const string UserJson = "{\"id\":\"u1\"}";

    [Fact]
    public async Task The_first_caller_mints_a_token_and_stores_it_with_its_expiry()
    {
        await using var test = new ClientUnderTest();

        var token = await test.Tokens.GetAsync();

        Assert.Equal("server-token-1", token.Value);
        Assert.Equal(test.Clock.GetUtcNow().AddHours(1), token.ExpiresAt);
        var request = Assert.Single(test.Basiq.Mints);
        Assert.Equal(("3.0", $"Basic {ClientUnderTest.SettingKey}"), (request.Version, request.Authorization));
        var stored = Assert.Single(test.Vault.Versions(SecretNames.ServerToken));
        Assert.Equal(("server-token-1", token.ExpiresAt), (stored.Value, stored.ExpiresOn));
        Assert.Equal("SERVER_ACCESS", (string?)stored.Tags?["scope"]);
    }

    [Fact]
    public async Task A_token_serves_from_memory_until_five_minutes_before_its_expiry()
    {
        await using var test = new ClientUnderTest();
        var first = await test.Tokens.GetAsync();
        var before = test.Vault.Reads;

        // Now and then Key Vault is asked whether another instance has stored one.
        test.Clock.Advance(ServerTokenProvider.SettleAfter);
        Assert.Same(first, await test.Tokens.GetAsync());
        await AppUnderTest.WaitForAsync(() => Task.FromResult(test.Vault.Reads), seen => seen == before + 1);
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Same(first, await test.Tokens.GetAsync());
        Assert.Equal(before + 1, test.Vault.Reads);
        test.Clock.Advance(TimeSpan.FromMinutes(55) - ServerTokenProvider.SettleAfter - TimeSpan.FromMinutes(9) - TimeSpan.FromSeconds(1));
        Assert.Same(first, await test.Tokens.GetAsync());
        await AppUnderTest.WaitForAsync(() => Task.FromResult(test.Vault.Reads), seen => seen == before + 2);

        test.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("server-token-2", (await test.Tokens.GetAsync()).Value);
    }

    [Fact]
    public async Task Taking_the_token_from_memory_allocates_nothing()
    {
        await using var test = new ClientUnderTest();
        var tokens = test.Tokens;
        await tokens.GetAsync();
        for (var i = 0; i < 1_000; i++)
            await tokens.GetAsync();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            await tokens.GetAsync();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task A_token_that_another_instance_stored_is_taken_instead_of_minting()
    {
        await using var test = new ClientUnderTest();
        test.Vault.Put(SecretNames.ServerToken, "shared-token", test.Clock.GetUtcNow().AddMinutes(30));

        Assert.Equal("shared-token", (await test.Tokens.GetAsync()).Value);
        Assert.Empty(test.Basiq.Mints);
    }

    [Theory]
    [InlineData("disabled")]
    [InlineData("expired")]
    [InlineData("about to expire")]
    [InlineData("without expiry")]
    [InlineData("not a token")]
    public async Task A_stored_token_that_is_no_good_is_not_taken(string what)
    {
        await using var test = new ClientUnderTest();
        var now = test.Clock.GetUtcNow();
        test.Vault.Put(
            SecretNames.ServerToken,
            what == "not a token" ? "line\nbreak" : "stored-token",
            what switch
            {
                "expired" => now.AddSeconds(-1),
                "about to expire" => now.AddMinutes(4),
                "without expiry" => null,
                _ => now.AddMinutes(30),
            },
            enabled: what != "disabled",
            tags: new System.Text.Json.Nodes.JsonObject { ["mintedAt"] = now.AddMinutes(-56).ToString("O", CultureInfo.InvariantCulture) });

        Assert.Equal("server-token-1", (await test.Tokens.GetAsync()).Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_thousand_concurrent_callers_cause_one_token_request(bool afterExpiry)
    {
        await using var test = new ClientUnderTest();
        if (afterExpiry)
        {
            await test.Tokens.GetAsync();
            test.Clock.Advance(TimeSpan.FromHours(2));
        }

        var minted = test.Basiq.Mints.Count;
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        test.Basiq.Mint = (_, _, _) => answer.Task;
        test.Basiq.Script(() => StubBasiq.Json(UserJson));

        var callers = Enumerable.Range(0, 1_000).Select(_ => Task.Run(() => test.Client.GetUserAsync(new("u1")))).ToArray();
        answer.SetResult(StubBasiq.Json(StubBasiq.TokenJson("the-token")));
        await Task.WhenAll(callers);

        Assert.Equal(1, test.Basiq.Mints.Count - minted);
        Assert.Equal(1_000, test.Basiq.Calls.Count(call => call.Authorization == "Bearer the-token"));
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_spoil_it_for_the_others()
    {
        await using var test = new ClientUnderTest();
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        test.Basiq.Mint = (_, _, cancellationToken) => answer.Task.WaitAsync(cancellationToken);
        using var impatience = new CancellationTokenSource();
        var impatient = test.Tokens.GetAsync(impatience.Token).AsTask();
        var patient = test.Tokens.GetAsync().AsTask();

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        answer.SetResult(StubBasiq.Json(StubBasiq.TokenJson("the-token")));

        Assert.Equal("the-token", (await patient).Value);
        Assert.Single(test.Basiq.Mints);
    }

    [Fact]
    public async Task A_failed_request_does_not_poison_the_next()
    {
        await using var test = new ClientUnderTest();
        var mint = test.Basiq.Mint;
        test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Json("{}"));
        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Tokens.GetAsync().AsTask());
        Assert.Equal("POST /token", exception.Failure.Endpoint);

        test.Basiq.Mint = mint;

        Assert.Equal("server-token-2", (await test.Tokens.GetAsync()).Value);
    }

    [Theory]
    [InlineData("""{"access_token":"","token_type":"Bearer","expires_in":3600}""")]
    [InlineData("""{"access_token":"x","token_type":"Bearer","expires_in":0}""")]
    [InlineData("""{"access_token":"x\ny","token_type":"Bearer","expires_in":3600}""")]
    [InlineData("""{"access_token":"x y","token_type":"Bearer","expires_in":3600}""")]
    [InlineData("""{"access_token":"xé","token_type":"Bearer","expires_in":3600}""")]
    [InlineData("""{"token_type":"Bearer","expires_in":3600}""")]
    public async Task An_answer_without_a_usable_token_is_unusable(string body)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Json(body));

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Tokens.GetAsync().AsTask());

        Assert.Equal(BasiqFailureKind.UnusableAnswer, exception.Failure.Kind);
    }

    [Fact]
    public async Task A_refused_token_is_replaced_once_for_all_callers()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.Authorization == "Bearer server-token-1" ? new(HttpStatusCode.Unauthorized) : StubBasiq.Json(UserJson));

        var users = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => test.Client.GetUserAsync(new("u1")))));

        Assert.All(users, user => Assert.Equal("u1", user.Id));
        Assert.Equal(2, test.Basiq.Mints.Count);
    }

    [Fact]
    public async Task A_refused_token_is_replaced_by_a_newer_one_of_Key_Vault()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Vault.Put(SecretNames.ServerToken, "newer-token", test.Clock.GetUtcNow().AddHours(1));
        test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.Authorization == "Bearer newer-token" ? StubBasiq.Json(UserJson) : new(HttpStatusCode.Unauthorized));

        Assert.Equal("u1", (await test.Client.GetUserAsync(new("u1"))).Id);
        Assert.Single(test.Basiq.Mints);
    }

    [Fact]
    public async Task A_call_is_repeated_once_only_and_a_storm_of_refusals_mints_no_storm_of_tokens()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error(HttpStatusCode.Unauthorized, "unauthorized-access"));

        var first = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));
        Assert.Equal((BasiqFailureKind.Unauthorized, 2), (first.Kind, test.Basiq.Calls.Count));
        for (var i = 0; i < 10; i++)
            await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));

        Assert.Equal(2, test.Basiq.Mints.Count);
        test.Clock.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));
        Assert.Equal(3, test.Basiq.Mints.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_Key_Vault_down_tokens_are_minted_and_serve_and_health_says_so(bool answers)
    {
        await using var test = new ClientUnderTest();
        test.Vault.Outage = () => answers
            ? StubKeyVault.Failure(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable")
            : throw new HttpRequestException("no route");

        var token = await test.Tokens.GetAsync();
        test.Clock.Advance(TimeSpan.FromMinutes(30));

        Assert.Same(token, await test.Tokens.GetAsync());
        Assert.Equal(
            new TokenHealth(TimeSpan.FromMinutes(30), token.ExpiresAt, answers ? "ServiceUnavailable" : "unreachable"),
            test.Tokens.GetHealth());

        // A look for another instance's token is under way in the background, and fails, too.
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(test.Logs.Lines), lines => lines.Count(line => line.Contains("failed to read secret basiq-server-token", StringComparison.Ordinal)) == 2);
        test.Vault.Outage = null;
        await test.Tokens.RefreshAsync();
        Assert.Null(test.Tokens.GetHealth().KeyVaultError);
    }

    [Fact]
    public async Task A_token_that_Key_Vault_did_not_take_is_not_given_up_for_the_refused_one_that_it_still_has()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Clock.Advance(TimeSpan.FromMinutes(1));
        test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.Authorization == "Bearer server-token-1" ? new(HttpStatusCode.Unauthorized) : StubBasiq.Json(UserJson));
        test.Vault.Outage = () => StubKeyVault.Failure(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable");
        await test.Client.GetUserAsync(new("u1"));
        test.Vault.Outage = null;

        test.Clock.Advance(ServerTokenProvider.SettleAfter);
        await test.Tokens.GetAsync();

        // Until Key Vault has been asked in the background, its last answer is a failure.
        await AppUnderTest.WaitForAsync(() => Task.FromResult(test.Tokens.GetHealth().KeyVaultError), error => error is null);
        await test.Client.GetUserAsync(new("u1"));

        Assert.Equal("server-token-2", (await test.Tokens.GetAsync()).Value);
        Assert.Equal(2, test.Basiq.Mints.Count);
    }

    [Fact]
    public async Task With_Basiq_minting_none_the_token_serves_to_its_end()
    {
        await using var test = new ClientUnderTest();
        var token = await test.Tokens.GetAsync();
        test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Error(HttpStatusCode.BadRequest, "parameter-not-valid"));

        test.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Same(token, await test.Tokens.GetAsync());

        test.Clock.Advance(TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<BasiqException>(() => test.Tokens.GetAsync().AsTask());
    }

    [Fact]
    public async Task The_timer_mints_and_leaves_the_new_version_and_the_one_before_it_enabled()
    {
        await using var test = new ClientUnderTest();
        var timer = new RefreshServerToken(test.Tokens);
        for (var run = 0; run < 5; run++)
        {
            await timer.Run(new TimerInfo(), CancellationToken.None);
            test.Clock.Advance(TimeSpan.FromMinutes(20));
        }

        Assert.Equal([false, false, false, true, true], test.Vault.Versions(SecretNames.ServerToken).Select(version => version.Enabled));
        Assert.Equal(5, test.Basiq.Mints.Count);
        Assert.Equal("server-token-5", (await test.Tokens.GetAsync()).Value);
    }

    [Fact]
    public async Task A_rotated_key_is_taken_up_without_a_restart()
    {
        await using var test = new ClientUnderTest();
        test.Vault.Put(SecretNames.ApiKey, "old-key");
        var accepted = "Basic old-key";
        var mint = test.Basiq.Mint;
        test.Basiq.Mint = (request, before, token) => request.Authorization == accepted
            ? mint(request, before, token)
            : Task.FromResult(StubBasiq.Error(HttpStatusCode.Forbidden, "access-denied"));
        test.Basiq.Answer = (request, _, _) => Task.FromResult(request.Authorization == accepted
            ? StubBasiq.Json(StubBasiq.TokenJson("client-token"))
            : StubBasiq.Error(HttpStatusCode.Unauthorized, "unauthorized-access"));
        await test.Tokens.RefreshAsync();

        accepted = "Basic new-key";
        test.Vault.Put(SecretNames.ApiKey, "new-key");

        await test.Tokens.RefreshAsync();
        Assert.Equal(["Basic old-key", "Basic old-key", "Basic new-key"], test.Basiq.Mints.Select(request => request.Authorization));
        Assert.Equal("client-token", (await test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
    }

    [Fact]
    public async Task Without_any_key_the_failure_says_so()
    {
        await using var test = new ClientUnderTest(("Basiq:ApiKey", ""));

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Unauthorized, "api-key-missing"), (exception.Failure.Kind, exception.Failure.Code));
    }

    [Fact]
    public async Task Nothing_secret_or_personal_is_in_any_log_or_exception()
    {
        await using var test = new ClientUnderTest();
        test.Vault.Put(SecretNames.ApiKey, "key-in-vault");
        test.Basiq.Answer = (_, before, _) => before switch
        {
            0 => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Unauthorized)),
            1 => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"),
            2 => Task.FromResult(StubBasiq.Json($$"""{"id":"u1","email":"gavin@hooli.com","x":"{{StubBasiq.TokenJson("t")}}"}""")),
            _ => Task.FromResult(StubBasiq.Error(HttpStatusCode.BadRequest, "parameter-not-valid", "gavin@hooli.com 062000123456")),
        };
        List<string> texts = [];

        foreach (var call in new Func<Task>[]
        {
            () => test.Client.UpdateUserAsync(new("u1"), new() { Email = "gavin@hooli.com", Mobile = "+61410888666" }),
            () => test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com", Mobile = "+61410888666" }),
            () => test.Client.GetTransactionsPageAsync(new("u1"), BasiqFilter.AccountId(new("062000123456"))),
        })
        {
            var running = call();
            await test.Clock.RunUntilAsync(running);
            texts.Add((await Assert.ThrowsAsync<BasiqException>(() => running)).ToString());
        }

        await test.Tokens.RefreshAsync();
        test.Vault.Outage = () => StubKeyVault.Failure(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable");
        texts.Add((await test.Tokens.RefreshAsync()).ToString());
        texts.Add(test.Logs.Text);

        Assert.Contains("POST /users/{userId}", test.Logs.Text, StringComparison.Ordinal);
        foreach (var secret in new[] { "server-token-", "key-in-vault", "vault-access", "hooli.com", "61410888666", "062000123456" })
            Assert.DoesNotContain(texts, text => text.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Without_a_vault_the_app_does_not_start()
    {
        using var services = new ServiceCollection().AddTokens(new ConfigurationBuilder().Build()).BuildServiceProvider();

        var exception = Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains("KeyVault:Uri", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_host_that_brings_its_own_client_needs_no_vault(bool after)
    {
        var vault = new StubKeyVault(TimeProvider.System);
        var services = new ServiceCollection();
        if (!after)
            services.AddSingleton(vault.CreateClient());
        services.AddTokens(new ConfigurationBuilder().Build());
        if (after)
            services.AddSingleton(vault.CreateClient());
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<IStartupValidator>().Validate();
    }

    [Theory]
    [InlineData("http://my-vault.vault.azure.net")]
    [InlineData("nonsense")]
    public void A_vault_address_that_cannot_work_is_refused_by_name(string uri)
    {
        using var services = new ServiceCollection()
            .AddTokens(new ConfigurationBuilder().AddInMemoryCollection([new("KeyVault:Uri", uri)]).Build())
            .BuildServiceProvider();

        var exception = Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains("KeyVault:Uri", exception.Message, StringComparison.Ordinal);
    }
}
