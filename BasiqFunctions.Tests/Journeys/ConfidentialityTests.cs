using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Whatever the app writes where others read it, it holds no secret and nothing personal.</summary>
public sealed class ConfidentialityTests
{
    private const string Email = "gavin.belson.private@hooli.com";
    private const string Mobile = "+61498765432";

    [Fact]
    public async Task Logs_errors_and_orchestration_history_hold_no_secret_and_nothing_personal()
    {
        using var state = new TemporaryDirectory();
        HashSet<string> secrets = [Email, Email.Replace("@", "%40", StringComparison.Ordinal), Mobile, Mobile[1..], "sandbox-api-key"];
        StringBuilder problems = new();
        LogCapture logs;
        await using (var app = await AppUnderTest.StartAsync(
            ["Sandbox:ShareOf500=0.05", "Sandbox:ShareOfTruncatedBodies=0.05", "Sandbox:FaultsUnder=/users/", "Basiq:MaxRetries=8"],
            state: state))
        {
            logs = app.Logs;
            using var created = await app.Api.PostAsJsonAsync("users", new { email = Email, mobile = Mobile, lastName = "Belson-Secret" });
            secrets.Add("Belson-Secret");
            var userId = (await AppUnderTest.ReadAsync(created)).GetProperty("id").GetString()!;
            using var minted = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
            secrets.Add((await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString()!);
            var link = await app.CreateConsentLinkAsync(userId);
            var query = System.Web.HttpUtility.ParseQueryString(link.Query);
            secrets.Add(query["token"]!);
            secrets.Add(query["state"]!);
            using var back = await app.Api.GetAsync(await app.ConsentAsync(link, "Whistler", "bighead"));
            var syncId = (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!;
            Assert.Equal(SyncState.Partial, (await app.WaitForSyncAsync(userId, syncId)).Status);

            var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
            foreach (var account in snapshot.GetProperty("accounts").EnumerateArray())
            {
                foreach (var field in new[] { "accountNo", "accountHolder" })
                {
                    if (account.TryGetProperty(field, out var value) && value.GetString() is { Length: > 4 } text)
                        secrets.Add(text);
                }

                using var transactions = await app.Api.GetAsync(
                    new Uri($"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions", UriKind.Relative));
                transactions.EnsureSuccessStatusCode();
            }

            foreach (var body in new object[] { new { email = "not-" + Email, mobile = "12" }, new { email = Email, lastName = 5 } })
            {
                using var refused = await app.Api.PostAsJsonAsync("users", body);
                problems.Append(await refused.Content.ReadAsStringAsync());
            }

            using var forged = await app.Api.GetAsync(new Uri($"consent/return?state={query["state"]}x&jobIds=a", UriKind.Relative));
            problems.Append(await forged.Content.ReadAsStringAsync());
        }

        secrets.UnionWith(Confidential.SecretsIn(state));
        Assert.True(secrets.Count > 10);
        var journal = Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Path.Combine(state.Path, "journal.db")));
        Assert.Contains("verify-credentials", journal, StringComparison.Ordinal);
        Assert.NotEmpty(logs.Lines);
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, logs.Text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(secret, journal, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(secret, problems.ToString(), StringComparison.OrdinalIgnoreCase);
        }
    }

    [SkippableFact]
    [UnsupportedOSPlatform("windows")]
    public async Task State_files_are_their_owners_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "On Windows the profile's rights protect the files.");
        using var state = new TemporaryDirectory();
        await using (var app = await AppUnderTest.StartAsync(state: state))
        {
            var userId = await app.CreateUserAsync();
            await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        }

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        Assert.All(
            state.Files.Where(f => !f.EndsWith("/lock", StringComparison.Ordinal)),
            file => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & others));
    }
}
