using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sandbox.Control;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>
/// What the notes on Basiq say of its answers, each in their own words, with what shows that the sandbox answers so.
/// </summary>
[Trait("Category", "Unit")]
public sealed partial class GuideTests
{
    private const string Notes = "../shared/basiq/NOTES.md";
    private const string Key = SandboxOptions.DefaultApiKey;

    /// <summary>Headings of the notes' last part under which nothing is said of an answer, or of one that the sandbox has no endpoint for.</summary>
    private static readonly string[] OfNoAnswer = ["Reports.", "Logging.", "Rules since 2024."];

    private static readonly (string Words, Func<SandboxHost, Task> Shown)[] Statements =
    [
        ("""Answer: `access_token`, `token_type: Bearer`, `expires_in: 3600` (seconds)""", async host =>
        {
            var token = await Json(host.Token("SERVER_ACCESS"), HttpStatusCode.OK);
            Assert.NotEqual("", token.GetProperty("access_token").GetString());
            Assert.Equal("Bearer", token.GetProperty("token_type").GetString());
            Assert.Equal(3600, token.GetProperty("expires_in").GetInt32());
        }),
        ("""A SERVER_ACCESS token opens every endpoint""", async host =>
        {
            var userId = await host.UserWithBank();
            await host.Get($"/users/{userId}/accounts");
            await host.Get($"/jobs/{await JobOf(host, userId)}");
        }),
        ("""more than 1,500 token requests in 5 minutes are refused""", async host =>
        {
            for (var i = 0; i < 1_500; i++)
                Assert.Equal(HttpStatusCode.OK, (await host.Token("SERVER_ACCESS")).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await host.Token("SERVER_ACCESS")).StatusCode);
            host.Clock.Advance(TimeSpan.FromMinutes(5));
            Assert.Equal(HttpStatusCode.OK, (await host.Token("SERVER_ACCESS")).StatusCode);
        }),
        ("""Basiq does not notice duplicates: the same e-mail sent twice makes two users""", async host =>
        {
            await host.SignIn();
            Assert.NotEqual(await host.CreateUser(), await host.CreateUser());
        }),
        ("""`GET /users/{id}/jobs` (the last 7 days)""", async host =>
        {
            var userId = await host.UserWithBank();
            Assert.Equal(1, (await host.Get($"/users/{userId}/jobs")).GetProperty("size").GetInt32());
            host.Clock.Advance(TimeSpan.FromDays(7));
            await host.SignIn();
            Assert.Equal(0, (await host.Get($"/users/{userId}/jobs")).GetProperty("size").GetInt32());
        }),
        ("""while a job is still running they answer 200 with that same job""", async host =>
        {
            var userId = await host.UserWithBank();
            var first = await host.Send(HttpMethod.Post, await RefreshOf(host, userId), HttpStatusCode.Accepted);
            var second = await host.Send(HttpMethod.Post, await RefreshOf(host, userId), HttpStatusCode.OK);
            Assert.Equal(first.GetProperty("id").GetString(), second.GetProperty("id").GetString());
        }),
        ("""pages of at most 500, the next page's full URL in `links.next`""", async host =>
        {
            await host.SetOptions(new { accountsPerUser = 1, transactionsPerAccount = 501 });
            var userId = await host.UserWithBank();
            var page = await host.Get($"/users/{userId}/transactions?limit=500");
            Assert.Equal(500, page.GetProperty("data").GetArrayLength());
            var next = await host.Get(page.GetProperty("links").GetProperty("next").GetString()!);
            Assert.Equal(1, next.GetProperty("data").GetArrayLength());
            await host.Error(HttpMethod.Get, $"/users/{userId}/transactions?limit=501", HttpStatusCode.BadRequest);
        }),
        ("""Pending transactions change their ids at every refresh; posted ones keep theirs""", PendingOnesAreMadeAnew),

        ("""The API key is refused at `POST /token` with **404** ("Unable to authenticate. Please, check your API key""", async host =>
        {
            var error = await ErrorOf(host.Token("SERVER_ACCESS", key: "bm9ib2R5Om5vdGhpbmc="), HttpStatusCode.NotFound);
            Assert.Equal("Unable to authenticate. Please, check your API key", error.GetProperty("detail").GetString());
        }),
        ("""too many token requests there are a **403** "Invalid request""", async host =>
        {
            await host.SetOptions(new { tokenRequestLimit = 1 });
            await host.SignIn();
            var error = await ErrorOf(host.Token("SERVER_ACCESS"), HttpStatusCode.Forbidden);
            Assert.Equal("Invalid request", error.GetProperty("title").GetString());
            await host.SetOptions(new { strict = false });
            await host.SignIn();
        }),
        ("""400 for a missing header or version""", async host =>
        {
            await ErrorOf(host.Token("SERVER_ACCESS", version: null), HttpStatusCode.BadRequest);
            await ErrorOf(host.Token("SERVER_ACCESS", version: "2.0"), HttpStatusCode.BadRequest);
            await ErrorOf(host.Http.PostAsync("/token", new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")])), HttpStatusCode.BadRequest);
        }),
        ("""a disabled account is a 403 as well""", async host =>
        {
            await host.SetOptions(new { disabledAccount = true });
            await ErrorOf(host.Token("SERVER_ACCESS"), HttpStatusCode.Forbidden);
        }),
        ("""an expired token is a **403** "Token has expired" (the remedy is a new token) or a 401""", async host =>
        {
            var userId = await host.UserWithBank();
            host.Clock.Advance(TimeSpan.FromHours(1));
            var error = await host.Error(HttpMethod.Get, $"/users/{userId}", HttpStatusCode.Forbidden);
            Assert.Equal("Token has expired", error.GetProperty("detail").GetString());
            await host.SetOptions(new { expiredTokenStatus = 401 });
            await host.Error(HttpMethod.Get, $"/users/{userId}", HttpStatusCode.Unauthorized);
            await host.SignIn();
            await host.Get($"/users/{userId}");
        }),
        ("""403 "Access to this resource is forbidden" is a wrong scope""", async host =>
        {
            var userId = await host.UserWithBank();
            host.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await host.ClientToken(userId));
            var error = await host.Error(HttpMethod.Get, $"/users/{userId}", HttpStatusCode.Forbidden);
            Assert.Equal("Access to this resource is forbidden.", error.GetProperty("detail").GetString());
        }),
        ("""403 or 429, with or without a body of Basiq's, can be overload""", async host =>
        {
            await host.SignIn();
            foreach (var kind in (string[])[OddAnswers.BareForbidden, OddAnswers.HtmlForbidden])
            {
                await host.SetOptions(new { oddAnswers = new Dictionary<string, double> { [kind] = 1 } });
                using var answer = await host.Bare.GetAsync("/users/x");
                Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
                Assert.DoesNotContain("correlationId", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            await host.SetOptions(new { oddAnswers = new { }, shareOf429 = 1 });
            await host.Error(HttpMethod.Get, "/users/x", HttpStatusCode.TooManyRequests);
        }),
        ("""`/users/{id}` answers **404 also when the user exists in another application than the key's**""", async host =>
        {
            var userId = await host.UserWithBank();
            var jobId = await JobOf(host, userId);
            await host.SignIn(SandboxOptions.DefaultOtherApiKey);
            foreach (var path in (string[])["", "/accounts", "/transactions", "/connections", "/jobs", "/consents"])
                await host.Error(HttpMethod.Get, $"/users/{userId}{path}", HttpStatusCode.NotFound);
            await host.Error(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NotFound);
            await host.Error(HttpMethod.Get, $"/jobs/{jobId}", HttpStatusCode.NotFound);
            Assert.Equal(0, (await host.Get("/events")).GetProperty("data").GetArrayLength());
            await ErrorOf(host.Token("CLIENT_ACCESS", userId, SandboxOptions.DefaultOtherApiKey), HttpStatusCode.NotFound);
            await host.Get($"/users/{await host.CreateUser()}");
            await host.SignIn(Key);
            await host.Get($"/users/{userId}");
        }),
        ("""503 is to be tried again after some minutes""", async host =>
        {
            await host.SignIn();
            await host.SetOptions(new { oddAnswers = new Dictionary<string, double> { [OddAnswers.Unavailable] = 1 } });
            var error = await host.Error(HttpMethod.Get, "/events", HttpStatusCode.ServiceUnavailable);
            Assert.Equal("service-unavailable", error.GetProperty("code").GetString());
        }),

        ("""A refresh of an inactive connection does not work""", async host =>
        {
            var userId = await host.UserWithBank();
            var refresh = await RefreshOf(host, userId);
            var before = (await host.Get($"/users/{userId}/accounts")).GetRawText();
            var consent = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString();
            await host.Send(HttpMethod.Delete, $"/users/{userId}/consents/{consent}", HttpStatusCode.NoContent);
            var jobId = (await host.Send(HttpMethod.Post, refresh, HttpStatusCode.Accepted)).GetProperty("id").GetString();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
            var job = await host.Get($"/jobs/{jobId}");
            Assert.Equal("failed", job.GetProperty("status").GetString());
            Assert.Equal(before, (await host.Get($"/users/{userId}/accounts")).GetRawText());
        }),
        ("""A second connection with the same credentials is paused for 6 minutes""", async host =>
        {
            var userId = await host.UserWithBank("jared");
            var paused = await host.Connect(userId, "jared");
            var other = await host.Connect(userId, "richard");
            host.Clock.Advance(TimeSpan.FromSeconds(353));
            Assert.Equal("pending", (await host.Get($"/jobs/{paused}")).GetProperty("status").GetString());
            Assert.Equal("success", (await host.Get($"/jobs/{other}")).GetProperty("status").GetString());
            host.Clock.Advance(TimeSpan.FromSeconds(7));
            Assert.Equal("success", (await host.Get($"/jobs/{paused}")).GetProperty("status").GetString());
        }),

        ("""`DELETE …/connections/{id}` leaves the accounts and transactions with the user""", async host =>
        {
            var userId = await host.UserWithBank();
            var (accounts, transactions) = ((await host.Accounts(userId)).Length, (await host.Transactions(userId)).Count);
            await host.Send(HttpMethod.Delete, await ConnectionOf(host, userId), HttpStatusCode.NoContent);
            Assert.Equal(accounts, (await host.Accounts(userId)).Length);
            Assert.Equal(transactions, (await host.Transactions(userId)).Count);
        }),
        ("""`POST …/connections/{id}/purge` (204) removes them, only while the connection is active""", async host =>
        {
            var userId = await host.UserWithBank();
            var accounts = (await host.Accounts(userId)).Length;
            var connection = await ConnectionOf(host, userId);
            await host.Send(HttpMethod.Post, $"{connection}/purge", HttpStatusCode.NoContent);
            Assert.Empty(await host.Accounts(userId));
            Assert.Empty(await host.Transactions(userId));
            await host.Send(HttpMethod.Post, $"{connection}/refresh", HttpStatusCode.Accepted);
            host.Clock.Advance(TimeSpan.FromSeconds(6));
            Assert.Equal(accounts, (await host.Accounts(userId)).Length);
            Assert.NotEmpty(await host.Transactions(userId));

            var consent = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString();
            await host.Send(HttpMethod.Delete, $"/users/{userId}/consents/{consent}", HttpStatusCode.NoContent);
            await host.Error(HttpMethod.Post, $"{connection}/purge", HttpStatusCode.BadRequest);
            Assert.Equal(accounts, (await host.Accounts(userId)).Length);
            await host.Error(HttpMethod.Post, $"/users/{userId}/connections/none/purge", HttpStatusCode.NotFound);
        }),
        ("""Statement uploads make jobs without `links.source`""", async host =>
        {
            await host.SignIn();
            var userId = await host.CreateUser();
            var jobId = (await Json(Upload(host, userId, "AU90001", "Gilfoyle.pdf"), HttpStatusCode.Accepted)).GetProperty("id").GetString();
            host.Clock.Advance(TimeSpan.FromSeconds(6));
            var job = await host.Get($"/jobs/{jobId}");
            Assert.Equal("success", job.GetProperty("status").GetString());
            Assert.False(job.GetProperty("links").TryGetProperty("source", out _));
            var listed = (await host.Get($"/users/{userId}/jobs")).GetProperty("data")[0];
            Assert.False(listed.GetProperty("links").TryGetProperty("source", out _));
            Assert.NotEmpty(await host.Accounts(userId));
            Assert.NotEmpty(await host.Transactions(userId));
            var refresh = await RefreshOf(host, userId);
            await host.Error(HttpMethod.Post, refresh, HttpStatusCode.BadRequest);
            var account = (await host.Accounts(userId))[0].GetProperty("id").GetString()!;
            var refused = await host.Error(
                HttpMethod.Post, "/reports", HttpStatusCode.BadRequest, ReportTests.Order("CON_AFFOR_01", ("users", (string[])[userId]), ("accounts", (string[])[account])));
            Assert.Equal("forbidden-access", refused.GetProperty("code").GetString());
        }),

        ("""`active`, `invalid` (a successful refresh heals it), `pending`""", async host =>
        {
            await host.SignIn();
            var userId = await host.CreateUser();
            await host.Connect(userId, "bighead");
            async Task<string> Status() => (await host.Get(await ConnectionOf(host, userId))).GetProperty("status").GetString()!;
            Assert.Equal("pending", await Status());
            host.Clock.Advance(TimeSpan.FromSeconds(6));
            Assert.Equal("invalid", await Status());
            var active = await host.UserWithBank();
            Assert.Equal("active", (await host.Get(await ConnectionOf(host, active))).GetProperty("status").GetString());
        }),

        ("""takes the filters `event.entity.eq(…)`, `event.type.eq(…)`, `user.id.eq(…)`""", async host =>
        {
            var userId = await host.UserWithBank();
            await host.UserWithBank("jared");
            async Task<JsonElement[]> Of(string filter) =>
                [.. (await host.Get($"/events?filter={Uri.EscapeDataString(filter)}")).GetProperty("data").EnumerateArray()];
            Assert.All(await Of($"user.id.eq('{userId}')"), e => Assert.Equal(userId, e.GetProperty("userId").GetString()));
            Assert.All(await Of("event.entity.eq('user')"), e => Assert.Equal("user", e.GetProperty("entity").GetString()));
            Assert.Equal(2, (await Of("event.entity.eq('user'),event.type.eq('created')")).Length);
        }),

        ("""A subscription that exists already is a 409""", async host =>
        {
            await host.SignIn();
            var subscription = new { url = "http://127.0.0.1:1/", subscribedEvents = (string[])["user.created"] };
            await host.Send(HttpMethod.Post, "/notifications/webhooks", HttpStatusCode.Created, subscription);
            await host.Error(HttpMethod.Post, "/notifications/webhooks", HttpStatusCode.Conflict, subscription);
            await host.SignIn(SandboxOptions.DefaultOtherApiKey);
            Assert.Equal(0, (await host.Get("/notifications/webhooks")).GetProperty("size").GetInt32());
            await host.Send(HttpMethod.Post, "/notifications/webhooks", HttpStatusCode.Created, subscription);
        }),

        ("""Open-banking connectors give the instant in UTC: midnight in Sydney""", async host =>
        {
            await host.SignIn();
            var userId = await host.CreateUser();
            await host.Connect(userId, "richard", "AU90001");
            await host.Connect(userId, "richard", "AU90003");
            host.Clock.Advance(TimeSpan.FromSeconds(6));
            async Task<DateTimeOffset[]> Dates(string institutionId) =>
            [
                .. (await host.Transactions(userId, $"?filter=institution.id.eq('{institutionId}'),transaction.status.eq('posted')"))
                    .Select(t => t.GetProperty("postDate").GetDateTimeOffset()),
            ];
            var moments = await Dates("AU90003");
            Assert.All(await Dates("AU90001"), d => Assert.Equal(TimeSpan.Zero, d.TimeOfDay));

            // Summer time went from 4 October 2025, 16:00 UTC, to beyond these data, and the one before to 5 April, 16:00 UTC.
            static bool IsSummer(DateTimeOffset d) =>
                d < new DateTimeOffset(2025, 4, 5, 16, 0, 0, TimeSpan.Zero) || d >= new DateTimeOffset(2025, 10, 4, 16, 0, 0, TimeSpan.Zero);
            Assert.All(moments, d => Assert.Equal(TimeSpan.FromHours(IsSummer(d) ? 13 : 14), d.TimeOfDay));
            Assert.Equal(2, moments.Select(d => d.Hour).Distinct().Count());

            var found = await host.Transactions(userId, "?filter=institution.id.eq('AU90003'),transaction.postDate.bt('2025-12-01','2025-12-31')");
            var expected = moments.Where(d => d >= new DateTimeOffset(2025, 12, 1, 0, 0, 0, TimeSpan.Zero) && d <= new DateTimeOffset(2025, 12, 31, 0, 0, 0, TimeSpan.Zero));
            Assert.Equal(expected, found.Select(t => t.GetProperty("postDate").GetDateTimeOffset()));
        }),

        ("""thrown away and made anew, with new ids, at every refresh""", PendingOnesAreMadeAnew),

        ("""lists banks with `stage` (`alpha`, `beta`, `live`)""", async host =>
        {
            await host.SignIn();
            var list = await host.Get("/connectors");
            var connectors = list.GetProperty("data").EnumerateArray().ToArray();
            Assert.Equal(list.GetProperty("totalCount").GetInt32(), connectors.Length);
            Assert.Contains(connectors, c => c.GetProperty("id").GetString() == "AU00000");
            Assert.All(connectors, c => Assert.Contains(c.GetProperty("stage").GetString(), (string[])["alpha", "beta", "live"]));
            foreach (var connector in connectors)
            {
                var self = connector.GetProperty("links").GetProperty("self").GetString()!;
                Assert.Equal(connector.GetRawText(), (await host.Get(self)).GetRawText());
                using var logo = await host.Http.GetAsync(connector.GetProperty("institution").GetProperty("logo").GetProperty("links").GetProperty("full").GetString());
                Assert.Equal("image/svg+xml", logo.Content.Headers.ContentType!.MediaType);
            }

            await host.Error(HttpMethod.Get, "/connectors/AU12345/web", HttpStatusCode.NotFound);
            await host.Error(HttpMethod.Get, "/connectors/nothing/web", HttpStatusCode.BadRequest);
        }),
        ("""filters such as `connector.stage.eq('live')`, `connector.institution.country.eq('Australia')`""", async host =>
        {
            await host.SignIn();
            async Task<int> Count(string filter) =>
                (await host.Get($"/connectors?filter={Uri.EscapeDataString(filter)}")).GetProperty("totalCount").GetInt32();
            var all = await Count("");
            Assert.Equal(all, await Count("connector.institution.country.eq('Australia')"));
            Assert.Equal(0, await Count("connector.institution.country.ne('Australia')"));
            Assert.Equal(all, await Count("connector.stage.eq('live')") + await Count("connector.stage.ne('live')"));
            Assert.Equal(all, await Count("connector.stage.in('live','beta')"));
            Assert.Equal(2, await Count("connector.id.eq('AU90001')"));
            Assert.Equal(1, await Count("connector.id.eq('AU90001'),connector.method.eq('open-banking')"));
            Assert.Equal(all, await Count("connector.scopes.in('account.basic','transaction.detail')"));
            Assert.Equal(2, await Count("connector.institution.type.eq('Credit Union'),connector.institution.tier.in('1','4')"));
            foreach (var bad in (string[])["connector.stage.eq('old')", "connector.name.eq('Hooli')", "connector.id.in('AU90001')", "nonsense"])
                await host.Error(HttpMethod.Get, $"/connectors?filter={Uri.EscapeDataString(bad)}", HttpStatusCode.BadRequest);
        }),
        ("""After `service-unavailable`, look here: on `major-outage` tell the user and wait""", async host =>
        {
            await host.SignIn();
            Assert.Equal("operational", (await host.Get("/connectors/AU90001/openbanking")).GetProperty("status").GetString());
            await host.SetOptions(new { connectorStatuses = new Dictionary<string, string> { ["AU90001"] = "major-outage" } });
            Assert.Equal("major-outage", (await host.Get("/connectors/AU90001/openbanking")).GetProperty("status").GetString());
            var down = await host.Get("/connectors?filter=connector.status.ne('operational')");
            Assert.Equal(2, down.GetProperty("totalCount").GetInt32());
        }),
    ];

    public static TheoryData<string> Words => [.. Statements.Select(s => s.Words)];

    [Theory]
    [MemberData(nameof(Words))]
    public async Task The_sandbox_answers_as_the_notes_say(string words)
    {
        await using var host = await SandboxHost.StartAsync();
        await Statements.Single(s => s.Words == words).Shown(host);
    }

    [SkippableFact]
    public void Each_statement_stands_in_the_notes_and_each_part_of_what_they_learnt_from_the_guide_is_shown()
    {
        var path = Path.Combine(OpenApiContract.Root ?? "", Notes);
        Skip.IfNot(File.Exists(path), $"{Notes} is not beside the repository.");
        var notes = Space().Replace(File.ReadAllText(path), " ");
        Assert.All(Statements, s => Assert.Contains(s.Words, notes, StringComparison.Ordinal));

        var learnt = notes[notes.IndexOf("## What the guide says beyond", StringComparison.Ordinal)..];
        var parts = Part().Split(learnt)[1..];
        Assert.NotEmpty(parts);
        Assert.All(parts, part =>
        {
            var heading = part[..part.IndexOf("**", StringComparison.Ordinal)];
            Assert.True(
                OfNoAnswer.Contains(heading) || Statements.Any(s => part.Contains(s.Words, StringComparison.Ordinal)),
                $"Nothing is shown of '{heading}'");
        });
    }

    private static async Task PendingOnesAreMadeAnew(SandboxHost host)
    {
        var userId = await host.UserWithBank("gavinBelson");
        async Task<HashSet<string>> Ids(string status) =>
            [.. (await host.Transactions(userId, $"?filter=transaction.status.eq('{status}')")).Select(t => t.GetProperty("id").GetString()!)];
        var (pending, posted) = (await Ids("pending"), await Ids("posted"));
        await host.Send(HttpMethod.Post, await RefreshOf(host, userId), HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.NotEmpty(pending);
        Assert.DoesNotContain(await Ids("pending"), pending.Contains);
        Assert.Superset(posted, await Ids("posted"));
    }

    private static async Task<string> ConnectionOf(SandboxHost host, string userId) =>
        $"/users/{userId}/connections/{(await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString()}";

    private static async Task<string> RefreshOf(SandboxHost host, string userId) => $"{await ConnectionOf(host, userId)}/refresh";

    private static async Task<string> JobOf(SandboxHost host, string userId) =>
        (await host.Get($"/users/{userId}/jobs")).GetProperty("data")[0].GetProperty("id").GetString()!;

    private static Task<HttpResponseMessage> Upload(SandboxHost host, string userId, string institutionId, string fileName)
    {
        var form = new MultipartFormDataContent
        {
            { new StringContent(institutionId), "institutionId" },
            { new ByteArrayContent("%PDF-1.7"u8.ToArray()), "statement", fileName },
        };
        return host.Http.PostAsync($"/users/{userId}/statements", form);
    }

    private static async Task<JsonElement> Json(Task<HttpResponseMessage> request, HttpStatusCode expected)
    {
        using var answer = await request;
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<JsonElement> ErrorOf(Task<HttpResponseMessage> request, HttpStatusCode expected) =>
        (await Json(request, expected)).GetProperty("data")[0];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"(?<=[.) ]) \*\*(?=[A-Z])")]
    private static partial Regex Part();
}
