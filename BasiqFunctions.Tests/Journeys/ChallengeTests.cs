using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Banks that ask the person for a code while they are being connected, and links that are sent to people.</summary>
[Trait("Category", "Journeys")]
public sealed class ChallengeTests
{
    private const string BankThatAsks = "AU90004";
    private const string Code = "246810";

    [Fact]
    public async Task A_challenge_is_shown_answered_and_the_sync_goes_on_at_once()
    {
        // The app polls only when woken: its clock stands still after the first look, and the sandbox's runs.
        var clock = StandingClock.New();
        var sandboxClock = new FakeTimeProvider(clock.GetUtcNow());
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:FirstPollDelay=00:10:00", "Sync:MaxPollDelay=00:10:00", "Sandbox:JobDuration=00:00:03"], clock, sandboxClock);
        var (userId, syncId) = await StartAsync(app);
        Assert.DoesNotContain((await app.GetSyncAsync(userId, syncId)).Jobs[0].Steps, s => s.Challenge is not null);
        sandboxClock.Advance(TimeSpan.FromSeconds(1));

        var step = Assert.Single((await app.GetSyncAsync(userId, syncId)).Jobs[0].Steps, s => s.Challenge is not null);
        Assert.Equal("mfa-challenge", step.Title);
        Assert.Equal("in-progress", step.Status);
        var challenge = step.Challenge!;
        Assert.Equal(("mfa", "token", 120_000L), (challenge.Type, challenge.Method, challenge.ExpiryMs));
        Assert.NotEmpty(challenge.Description!);
        Assert.Contains("XXXX XXX 006", Assert.Single(challenge.Input), StringComparison.Ordinal);
        Assert.Equal($"/api/users/{userId}/syncs/{syncId}/mfa", challenge.Links.Response);

        using var wrong = await app.Api.PostAsJsonAsync(challenge.Links.Response, AppUnderTest.MfaResponse("000000"));
        var problem = await AppUnderTest.AssertProblemAsync(wrong, HttpStatusCode.BadRequest, "invalid-input");
        Assert.Equal("was refused by Basiq: invalid-credentials.", problem.GetProperty("errors").GetProperty("mfa-response")[0].GetString());
        using var right = await app.Api.PostAsJsonAsync(challenge.Links.Response, AppUnderTest.MfaResponse(Code));
        Assert.Equal(HttpStatusCode.Accepted, right.StatusCode);
        Assert.Equal($"/api/users/{userId}/syncs/{syncId}", right.Headers.Location?.OriginalString);
        await AppUnderTest.WaitForAsync(
            () => app.GetSyncAsync(userId, syncId), s => s.Jobs[0].Steps.Any(x => x is { Title: "mfa-challenge", Status: "success" }));
        Assert.DoesNotContain((await app.GetSyncAsync(userId, syncId)).Jobs[0].Steps, s => s.Challenge is not null);
        using var again = await app.Api.PostAsJsonAsync(challenge.Links.Response, AppUnderTest.MfaResponse(Code));
        await AppUnderTest.AssertProblemAsync(again, HttpStatusCode.Conflict, "no-challenge");

        await app.RestAsync();
        sandboxClock.Advance(TimeSpan.FromSeconds(2));
        // Once: what is asked of Basiq from now on must not come to be late.
        clock.Advance(TimeSpan.FromMinutes(10));
        var sync = await app.WaitForSyncAsync(userId, syncId);
        Assert.Equal(SyncState.Completed, sync.Status);

        // Basiq's OpenAPI: an answer comes with a token of the user's.
        Assert.Equal(2, await app.CountAsync("POST /jobs/{jobId}/mfa"));
        Assert.Equal(3, await app.CountAsync("POST /token CLIENT_ACCESS"));
    }

    [Fact]
    public async Task Three_wrong_answers_end_the_job_and_the_sync_says_what_to_do()
    {
        var clock = StandingClock.New();
        var sandboxClock = new FakeTimeProvider(clock.GetUtcNow());
        await using var app = await AppUnderTest.StartAsync(["Sync:FirstPollDelay=00:10:00", "Sync:MaxPollDelay=00:10:00"], clock, sandboxClock);
        var (userId, syncId) = await StartAsync(app);
        sandboxClock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            using var wrong = await app.Api.PostAsJsonAsync($"users/{userId}/syncs/{syncId}/mfa", AppUnderTest.MfaResponse("1"));
            await AppUnderTest.AssertProblemAsync(wrong, HttpStatusCode.BadRequest, "invalid-input");
        }

        var sync = await app.WaitForSyncAsync(userId, syncId);
        Assert.Equal(SyncState.Failed, sync.Status);
        Assert.Equal(NextAction.Reconnect, sync.Jobs[0].NextAction);
    }

    [Fact]
    public async Task Only_what_is_asked_is_answered()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:00"]);
        var (userId, syncId) = await StartAsync(app);
        var path = $"users/{userId}/syncs/{syncId}/mfa";
        foreach (var (body, field) in (IEnumerable<(object, string)>)
            [
                (new { jobId = "j" }, "mfa-response"), (AppUnderTest.MfaResponse(), "mfa-response"), (AppUnderTest.MfaResponse(""), "mfa-response"),
                (AppUnderTest.MfaResponse(new string('1', 257)), "mfa-response"),
                (new Dictionary<string, object> { ["mfa-response"] = (string[])["1"], ["jobId"] = "a b" }, "jobId"),
            ])
        {
            using var refused = await app.Api.PostAsJsonAsync(path, body);
            var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.BadRequest, "invalid-input");
            Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _));
        }

        using var foreign = await app.Api.PostAsJsonAsync(path, new Dictionary<string, object> { ["mfa-response"] = (string[])[Code], ["jobId"] = "other" });
        await AppUnderTest.AssertProblemAsync(foreign, HttpStatusCode.NotFound, "job-not-found");
        using var unknown = await app.Api.PostAsJsonAsync($"users/{userId}/syncs/none/mfa", AppUnderTest.MfaResponse(Code));
        await AppUnderTest.AssertProblemAsync(unknown, HttpStatusCode.NotFound, "sync-not-found");
        Assert.Equal(0, await app.CountAsync("POST /jobs/{jobId}/mfa"));
        using var right = await app.Api.PostAsJsonAsync(path, AppUnderTest.MfaResponse(Code));
        Assert.Equal(HttpStatusCode.Accepted, right.StatusCode);
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
    }

    [Fact]
    public async Task An_answer_of_unknown_fate_is_not_sent_twice()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:00"]);
        var (userId, syncId) = await StartAsync(app);
        var jobId = (await app.GetSyncAsync(userId, syncId)).Jobs[0].JobId;
        using var knob = await app.Sandbox.PatchAsJsonAsync(
            "_sandbox/options", new { shareOfTruncatedBodies = 1, faultsUnder = $"/jobs/{jobId}/mfa" });
        knob.EnsureSuccessStatusCode();
        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/syncs/{syncId}/mfa", AppUnderTest.MfaResponse(Code));
        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadGateway, "outcome-unknown");
        Assert.Equal(1, await app.CountAsync("POST /jobs/{jobId}/mfa"));

        // It had arrived, and the sync was told to look.
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
    }

    [Fact]
    public async Task A_link_for_the_person_leads_to_the_consent_page()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        using var own = await app.Api.PostAsync($"users/{userId}/auth-link", null);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/auth-link", new { mobile = "+61400111222" });
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var link = await AppUnderTest.ReadAsync(answer);
        Assert.True(link.GetProperty("expiresAt").GetDateTimeOffset() > DateTimeOffset.UtcNow);
        using var page = await app.Api.GetAsync(link.GetProperty("url").GetString());
        Assert.StartsWith("/home?token=", page.Headers.Location!.OriginalString, StringComparison.Ordinal);
        using var replaced = await app.Api.GetAsync((await AppUnderTest.ReadAsync(own)).GetProperty("url").GetString());
        Assert.Equal(HttpStatusCode.NotFound, replaced.StatusCode);

        using var wrong = await app.Api.PostAsJsonAsync($"users/{userId}/auth-link", new { mobile = "0400111222" });
        await AppUnderTest.AssertProblemAsync(wrong, HttpStatusCode.BadRequest, "invalid-input");
        using var unknown = await app.Api.PostAsJsonAsync("users/nobody/auth-link", new { mobile = "+61400111222" });
        await AppUnderTest.AssertProblemAsync(unknown, HttpStatusCode.NotFound, "user-not-found");
    }

    private static async Task<(string UserId, string SyncId)> StartAsync(AppUnderTest app)
    {
        var userId = await app.CreateUserAsync();
        app.Bank = BankThatAsks;
        return (userId, await app.ConsentAndReturnAsync(userId, "jared"));
    }
}
