using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Web;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>
/// Everything that a person and a front end may do, from "new user" to "user deleted": banks that fail, a Basiq that stumbles, and
/// callers who send secrets and personal data where none belong.
/// </summary>
internal sealed class WholeJourney(AppUnderTest app, Func<HttpResponseMessage, Task> keep)
{
    private const string ApiKey = "c2FuZGJveC1rZXktb2YtdGhpcy1qb3VybmV5";
    private const string FunctionKey = "function-key-of-this-journey";
    private const string Email = "zaphodine.quackenbush@hooli.com";
    private const string OtherEmail = "Trillian.Doe+savings@hooli.com";
    private const string Mobile = "+61498765432";

    private static readonly string[] Logins = ["Whistler", "bighead", "erlich", "jianYang"];

    private readonly Dictionary<string, string> _secrets = new()
    {
        ["API key"] = ApiKey,
        ["function key"] = FunctionKey,
        ["wrong function key"] = "wrong-" + FunctionKey,
        ["e-mail"] = Email,
        ["other e-mail"] = OtherEmail,
        ["mobile"] = Mobile,
        ["mobile without plus"] = Mobile[1..],
        ["first name"] = "Zaphodine",
        ["middle name"] = "Eccentrica",
        ["last name"] = "Quackenbush",
        ["business name"] = "Magrathea Planets",
        ["business number"] = "53004085616",
        ["street"] = "42 Slartibartfast Street",
        ["what is sent as no JSON"] = "free-text-of-a-caller",
    };

    /// <summary>What the app must be started with.</summary>
    public static IEnumerable<string> Settings =>
    [
        $"Sandbox:ApiKey={ApiKey}", $"LocalHost:FunctionKey={FunctionKey}", "Consent:ReturnUrls:0=https://app.hooli.com/banks",
        "Sandbox:ShareOf500=0.05", "Sandbox:ShareOfTruncatedBodies=0.05", "Sandbox:FaultsUnder=/users/", "Basiq:MaxRetries=8",
        "Sync:RetryDelay=00:00:00.1",
    ];

    /// <summary>All that must stay where it belongs, by a name that may be told.</summary>
    public IReadOnlyDictionary<string, string> Secrets => _secrets;

    /// <summary>Goes all the way, and returns the sync that it ended with.</summary>
    public async Task<SyncAnswer> RunAsync()
    {
        app.Api.DefaultRequestHeaders.Add("x-functions-key", FunctionKey);
        var userId = await CreateUserAsync();
        await SendAsync(HttpMethod.Patch, $"users/{userId}", new { firstName = "Zaphodine", email = OtherEmail });
        Add("client token", (await ReadAsync(HttpMethod.Post, $"users/{userId}/client-token")).GetProperty("access_token"));
        await SendAsync(HttpMethod.Get, $"users/{userId}?code={FunctionKey}");

        var link = await app.CreateConsentLinkAsync(userId, new { returnUrl = "https://app.hooli.com/banks" });
        var query = HttpUtility.ParseQueryString(link.Query);
        var state = query["state"]!;
        _secrets["consent token"] = query["token"]!;
        _secrets["state"] = state;
        foreach (var login in Logins.Select(TestUsers.Find))
        {
            _secrets[$"login {login!.LoginId}"] = login.LoginId;
            if (login.Password is not "password")
                _secrets[$"password of {login.LoginId}"] = login.Password;
        }

        var back = await app.ConsentAsync(link, Logins);
        using (var returned = await RepeatAsync(HttpMethod.Get, back, body: null))
            Assert.Equal(HttpStatusCode.SeeOther, returned.StatusCode);
        var jobIds = HttpUtility.ParseQueryString(back.Query)["jobIds"]!.Split(',');
        var syncId = (await ReadAsync(HttpMethod.Post, $"users/{userId}/syncs", new { jobIds })).GetProperty("syncId").GetString()!;
        var sync = await app.WaitForSyncAsync(userId, syncId);
        Assert.Equal(SyncState.Partial, sync.Status);

        await RepeatCreationAsync();
        await AnswerBankAsync(userId);
        await ReadBankDataAsync(userId);
        await MisbehaveAsync(userId, state, jobIds[0]);

        var connectionId = sync.Jobs.Single(j => j.Status is JobState.Success).ConnectionId;
        await SendAsync(HttpMethod.Get, $"users/{userId}/connections");
        var refresh = await ReadAsync(HttpMethod.Post, $"users/{userId}/refresh", new { connectionId, force = true });
        await SendAsync(HttpMethod.Delete, $"users/{userId}/syncs/{refresh.GetProperty("syncId").GetString()}");
        await SendAsync(HttpMethod.Get, "health");
        await TellAsync();
        await SendAsync(HttpMethod.Delete, $"users/{userId}/connections/{connectionId}");
        await StumbleAsync(userId);
        return sync;
    }

    private async Task<string> CreateUserAsync()
    {
        var user = await ReadAsync(HttpMethod.Post, "users", new
        {
            email = Email,
            mobile = Mobile,
            firstName = "Zaphodine",
            middleName = "Eccentrica",
            lastName = "Quackenbush",
            businessName = "Magrathea Planets",
            businessIdNo = "53004085616",
            businessIdNoType = "ABN",
            businessAddress = new
            {
                addressLine1 = "42 Slartibartfast Street",
                suburb = "Sydney",
                state = "NSW",
                postcode = "2000",
                countryCode = "AUS",
            },
        });
        return user.GetProperty("id").GetString()!;
    }

    /// <summary>Creates a user twice with one key, which then comes with another body and, not as it should be, as a key at all.</summary>
    private async Task RepeatCreationAsync()
    {
        (string Key, string Email)[] requests =
            [(OtherEmail, OtherEmail), (OtherEmail, OtherEmail), (OtherEmail, Email), (Email + new string('x', 1_000), Email)];
        foreach (var (key, email) in requests)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("users", UriKind.Relative))
            {
                Content = JsonContent.Create(new { email, lastName = "Quackenbush" }),
            };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
            using var answer = await app.Api.SendAsync(request);
            await keep(answer);
        }
    }

    /// <summary>Gets a link to send to the person, and answers a bank that asks for a code, first with a wrong one.</summary>
    private async Task AnswerBankAsync(string userId)
    {
        const string OtherMobile = "+61400111222";
        const string Wrong = "a-code-that-is-not-right";
        const string Right = "246810";
        _secrets["mobile of an auth link"] = OtherMobile;
        _secrets["wrong code"] = Wrong;
        _secrets["right code"] = Right;
        Add("auth link", (await ReadAsync(HttpMethod.Post, $"users/{userId}/auth-link", new { mobile = OtherMobile })).GetProperty("url"));
        await RefusedAsync(HttpMethod.Post, $"users/{userId}/auth-link", JsonContent.Create(new { mobile = OtherMobile + "x" }));

        app.Bank = "AU90004";
        var jobIds = await app.ConnectAsync(userId, "Whistler");
        app.Bank = "AU00000";
        var syncId = (await ReadAsync(HttpMethod.Post, $"users/{userId}/syncs", new { jobIds })).GetProperty("syncId").GetString()!;
        var asking = await AppUnderTest.WaitForAsync(
            () => app.GetSyncAsync(userId, syncId), s => s.Jobs[0].Steps.Any(step => step.Challenge is not null));
        _secrets["challenge"] = asking.Jobs[0].Steps.Single(step => step.Challenge is not null).Challenge!.Input[0];
        await RefusedAsync(HttpMethod.Post, $"users/{userId}/syncs/{syncId}/mfa", JsonContent.Create(AppUnderTest.MfaResponse(Wrong)));
        await SendAsync(HttpMethod.Post, $"users/{userId}/syncs/{syncId}/mfa", AppUnderTest.MfaResponse(Right));
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
    }

    /// <summary>Reads accounts and transactions as a front end would; what is in them is to be found nowhere else.</summary>
    private async Task ReadBankDataAsync(string userId)
    {
        foreach (var identity in (await ReadAsync(HttpMethod.Get, $"users/{userId}/identities")).GetProperty("identities").EnumerateArray())
        {
            foreach (var field in new[] { "fullName", "lastName", "DOB" })
                Add($"identity {field}", identity, field);
            Add("identity phone", identity.GetProperty("phoneNumbers")[0]);
            Add("identity address", identity.GetProperty("physicalAddresses")[0].GetProperty("formattedAddress"));
        }

        _secrets["name to compare"] = "Deirdre Vanderquist";
        _secrets["date to compare"] = "1949-10-31";
        _secrets["address to compare"] = "99 Betelgeuse Esplanade";
        await SendAsync(
            HttpMethod.Post,
            $"users/{userId}/identities/match",
            new { name = "Deirdre Vanderquist", dateOfBirth = "1949-10-31", address = "99 Betelgeuse Esplanade" });
        var snapshot = await ReadAsync(HttpMethod.Get, $"users/{userId}/accounts");
        foreach (var account in snapshot.GetProperty("accounts").EnumerateArray())
        {
            foreach (var field in new[] { "accountNo", "accountHolder", "balance", "availableFunds" })
                Add($"account {field}", account, field);
            var path = $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions?limit=20";
            var page = await ReadAsync(HttpMethod.Get, path);
            if (page.TryGetProperty("nextCursor", out var cursor))
                await SendAsync(HttpMethod.Get, $"{path}&cursor={Uri.EscapeDataString(cursor.GetString()!)}");
            foreach (var transaction in page.GetProperty("transactions").EnumerateArray())
            {
                foreach (var field in new[] { "description", "amount", "balance" })
                    Add($"transaction {field}", transaction, field);
            }
        }
    }

    /// <summary>Tells the app of something by webhooks, by Basiq and by somebody else; what stands in a body is nobody else's business.</summary>
    private async Task TellAsync()
    {
        const string Said = "what-a-webhook-says-of-a-person";
        const string Forged = "whsec_Zm9yZ2VkIHNlY3JldCBvZiBzb21lYm9keQ==";
        _secrets["body of a webhook"] = Said;
        _secrets["forged secret"] = Forged;
        _secrets["forged key"] = Forged["whsec_".Length..];
        await app.SubscribeAsync();
        await SendAsync(HttpMethod.Get, "webhooks/basiq/subscription");
        foreach (var (id, secret) in new[] { ("msg-forged", Forged), ("msg-signed", null), ("msg-signed", null) })
        {
            using var answer = await app.SendWebhookAsync(id, $$"""{"eventId":"event-of-the-journey","text":"{{Said}}"}""", secret);
            await keep(answer);
        }

        using var unusable = await app.SendWebhookAsync("msg-unusable", $$"""{"eventId":"{{Said}} {{Email}}"}""");
        Assert.Equal(HttpStatusCode.NoContent, unusable.StatusCode);
    }

    /// <summary>Sends what is refused, with data of people in every place where a caller may put some.</summary>
    private async Task MisbehaveAsync(string userId, string state, string jobId)
    {
        object[] users =
        [
            new { email = "not-" + Email + "@", mobile = "12" }, new { email = Email, lastName = 5 }, new { mobile = Mobile + "x" },
            new { email = Email, nickname = OtherEmail }, new { email = new { nested = Mobile } }, new { email = Email, businessIdNo = "53004085616", businessIdNoType = "TFN" },
        ];
        foreach (var user in users)
        {
            await RefusedAsync(HttpMethod.Post, "users", JsonContent.Create(user));
            await RefusedAsync(HttpMethod.Patch, $"users/{userId}", JsonContent.Create(user));
        }

        string[] bodies =
        [
            $"{{\"email\":\"{Email}\"", $"{{\"email\":\"{Email}\",\"email\":\"{OtherEmail}\"}}", $"\"{Email}\"", $"[\"{Mobile}\"]",
            "free-text-of-a-caller", $"{{\"{Email}\":1}}", $"{{\"{Mobile}\":1}}", $"{{\"jobIds\":[\"{Email}\"]}}", $"{{\"jobIds\":\"{Email}\"}}",
            $"{{\"connectionId\":\"{Email}\"}}", $"{{\"institutionId\":\"{Email}\"}}", $"{{\"action\":\"{Email}\"}}",
            $"{{\"returnUrl\":\"https://elsewhere.test/?email={Email}\"}}",
        ];
        foreach (var path in new[] { "users", $"users/{userId}/syncs", $"users/{userId}/consent-link", $"users/{userId}/refresh" })
        {
            foreach (var body in bodies)
                await RefusedAsync(HttpMethod.Post, path, new StringContent(body, Encoding.UTF8, "application/json"));
            await RefusedAsync(HttpMethod.Post, path, new StringContent(Email, Encoding.UTF8, "text/plain"));
            await RefusedAsync(HttpMethod.Post, path, new StringContent(
                $"{{\"email\":\"{Email}{new string(' ', 500_000)}\"}}", Encoding.UTF8, "application/json"));
        }

        string[] paths =
        [
            $"users/{Email}", $"users/{Uri.EscapeDataString(Mobile)}/accounts?email={Email}", $"users/{userId}/syncs/{Email}",
            $"users/{userId}/accounts/{Email}/transactions", $"{Email}?code={FunctionKey}",
            $"users/{userId}/accounts/a/transactions?from={Email}&status={Email}&limit={Email}&cursor={Email}",
            $"users/{userId}/accounts/a/transactions?{Email}=1", $"users/{userId}/accounts/a/transactions?{Uri.EscapeDataString(Mobile)}",
            $"consent/return?state={state}x&jobIds={jobId}", $"consent/return?state={Email}&jobIds={Email}",
            $"consent/return?state={state}&jobIds={Email}", $"consent/return?jobIds={jobId}&email={Email}",
        ];
        foreach (var path in paths)
            await RefusedAsync(HttpMethod.Get, path, content: null);

        using var stranger = new HttpRequestMessage(HttpMethod.Get, new Uri($"users/{userId}?code=wrong-{FunctionKey}", UriKind.Relative));
        stranger.Headers.Add("x-functions-key", "wrong-" + FunctionKey);
        using var answer = await app.Api.SendAsync(stranger);
        Assert.False(answer.IsSuccessStatusCode);
        await keep(answer);
    }

    /// <summary>Lets Basiq fail altogether while personal data is on its way to it. Comes last: after so many failures the app leaves Basiq alone for some seconds.</summary>
    private async Task StumbleAsync(string userId)
    {
        await PatchSandboxAsync(new { shareOf500 = 1, shareOfTruncatedBodies = 0, faultsUnder = "/users" });
        await RefusedAsync(HttpMethod.Post, "users", JsonContent.Create(new { email = Email, mobile = Mobile }));
        await PatchSandboxAsync(new { shareOf500 = 0, shareOfTruncatedBodies = 1 });
        await RefusedAsync(HttpMethod.Post, "users", JsonContent.Create(new { email = OtherEmail, lastName = "Quackenbush" }));
        await PatchSandboxAsync(new { shareOf429 = 1, shareOfTruncatedBodies = 0, retryAfter = "00:05:00" });
        await RefusedAsync(HttpMethod.Get, $"users/{userId}/connections", content: null);
    }

    private async Task PatchSandboxAsync(object options)
    {
        using var answer = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", options);
        answer.EnsureSuccessStatusCode();
    }

    private async Task RefusedAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        using var answer = await app.Api.SendAsync(request);
        Assert.True((int)answer.StatusCode >= 400, $"{method} {path} answered {answer.StatusCode} to what must be refused.");
        await keep(answer);
    }

    private async Task<JsonElement> ReadAsync(HttpMethod method, string path, object? body = null)
    {
        using var answer = await RepeatAsync(method, new Uri(path, UriKind.Relative), body);
        Assert.True(answer.IsSuccessStatusCode, string.Create(CultureInfo.InvariantCulture, $"{method} {path}: {(int)answer.StatusCode}"));
        return answer.StatusCode is HttpStatusCode.NoContent || answer.Content.Headers.ContentLength is 0
            ? default
            : await AppUnderTest.ReadAsync(answer);
    }

    /// <summary>Sends a request again where Basiq stumbled, as a front end would.</summary>
    private async Task<HttpResponseMessage> RepeatAsync(HttpMethod method, Uri url, object? body)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, url) { Content = body is null ? null : JsonContent.Create(body) };
            var answer = await app.Api.SendAsync(request);
            await keep(answer);
            if ((int)answer.StatusCode < 500 || attempt == 10)
                return answer;
            answer.Dispose();
        }
    }

    private Task SendAsync(HttpMethod method, string path, object? body = null) => ReadAsync(method, path, body);

    private void Add(string name, JsonElement value)
    {
        // What is short or plain stands in harmless texts as well.
        if (value.ValueKind is JsonValueKind.String && value.GetString() is { Length: > 5 } text)
            _secrets[$"{name} {_secrets.Count}"] = text;
    }

    private void Add(string name, JsonElement of, string field)
    {
        if (of.TryGetProperty(field, out var value))
            Add(name, value);
    }
}
