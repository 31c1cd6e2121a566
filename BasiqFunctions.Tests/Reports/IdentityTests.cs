using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Reports;

/// <summary>Who the banks say that a person is, as callers read and compare it.</summary>
[Trait("Category", "Journeys")]
public sealed class IdentityTests
{
    [Fact]
    public async Task Identities_are_read_from_Basiq_and_are_kept_nowhere()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await ConnectedAsync(app, "Gilfoyle");

        for (var call = 1; call <= 2; call++)
        {
            using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/identities", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
            var identity = (await AppUnderTest.ReadAsync(answer)).GetProperty("identities")[0];
            Assert.Equal("Bertram Gilfoyle", identity.GetProperty("fullName").GetString());
            Assert.Equal("Fitzroy North", identity.GetProperty("physicalAddresses")[0].GetProperty("city").GetString());
            Assert.Equal(call, await app.CountAsync("GET /users/{userId}/identities"));
        }

        await AssertNowhereAsync(app, "Ironbark", "1981-06-30", "+61491570157");
    }

    [Fact]
    public async Task What_the_team_was_told_is_compared_and_nothing_of_the_person_is_answered()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await ConnectedAsync(app, "Gilfoyle");

        using var answer = await app.Api.PostAsJsonAsync(
            $"users/{userId}/identities/match",
            new { name = "Gilfoyle, Bértram", dateOfBirth = "1981-06-30", address = "7 Ironbark Ln, Fitzroy North VIC 3068" });

        Assert.Equal(
            """{"name":{"result":"match","rule":"order"},"dateOfBirth":{"result":"match","rule":"exact"},"address":{"result":"match","rule":"street-abbreviations"}}""",
            await answer.Content.ReadAsStringAsync());
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        await AssertNowhereAsync(app, "Ironbark", "1981-06-30", "Bértram");
    }

    [Theory]
    [InlineData("{}", "name")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"name":"..."}""", "name")]
    [InlineData("""{"dateOfBirth":"30/06/1981"}""", "dateOfBirth")]
    [InlineData("""{"address":"--"}""", "address")]
    [InlineData("""{"surname":"x"}""", "surname")]
    public async Task What_cannot_be_compared_is_refused_by_name(string body, string field)
    {
        await using var app = await AppUnderTest.StartAsync();

        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await app.Api.PostAsync(new Uri("users/u/identities/match", UriKind.Relative), content);

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Fact]
    public async Task Nobody_is_told_who_a_person_is_once_the_consent_has_ended()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await ConnectedAsync(app, "jared");
        var consents = await app.Api.GetFromJsonAsync<System.Text.Json.JsonElement>($"users/{userId}/consents");
        using var revoked = await app.Api.DeleteAsync(
            new Uri($"users/{userId}/consents/{consents.GetProperty("consents")[0].GetProperty("id").GetString()}", UriKind.Relative));
        Assert.True(revoked.IsSuccessStatusCode);

        using var list = await app.Api.GetAsync(new Uri($"users/{userId}/identities", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(list, HttpStatusCode.NotFound, "consent-ended");
        using var match = await app.Api.PostAsJsonAsync($"users/{userId}/identities/match", new { name = "Jared Dunn" });
        await AppUnderTest.AssertProblemAsync(match, HttpStatusCode.NotFound, "consent-ended");
    }

    [Fact]
    public async Task An_unknown_user_is_not_found()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var answer = await app.Api.GetAsync(new Uri("users/none/identities", UriKind.Relative));

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.NotFound, "user-not-found");
    }

    private static async Task<string> ConnectedAsync(AppUnderTest app, string login)
    {
        Assert.NotNull(TestUsers.Find(login));
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, login));
        return userId;
    }

    private static async Task AssertNowhereAsync(AppUnderTest app, params string[] planted)
    {
        foreach (var text in planted)
        {
            Assert.DoesNotContain(text, app.Logs.Text, StringComparison.OrdinalIgnoreCase);
            foreach (var file in app.State.Files.Where(file => !file.EndsWith("lock", StringComparison.Ordinal)))
                Assert.False((await ReadAsync(file)).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text)) >= 0, $"{text} in {file}");
        }
    }

    private static async Task<byte[]> ReadAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
