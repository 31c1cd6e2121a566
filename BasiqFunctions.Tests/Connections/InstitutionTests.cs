using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Connections.Institutions;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Edges;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Connections;

/// <summary>Which banks there are: read by a crowd, asked of Basiq by one.</summary>
[Trait("Category", "Journeys")]
public sealed class InstitutionTests
{
    private static readonly Uri List = new("institutions", UriKind.Relative);

    [Fact]
    public async Task The_banks_are_listed_with_their_methods_and_how_they_are()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:ConnectorStatuses:AU90001=major-outage", "Sandbox:MoreBanks=300"]);

        var list = await app.Api.GetFromJsonAsync<JsonElement>(List);
        var banks = list.GetProperty("institutions").EnumerateArray().ToArray();
        Assert.Equal(305, banks.Length);
        Assert.Equal(banks.Select(Name).Order(StringComparer.OrdinalIgnoreCase), banks.Select(Name));
        Assert.False(list.TryGetProperty("isStale", out _));
        var bank = await app.Api.GetFromJsonAsync<JsonElement>(new Uri("institutions/AU90001", UriKind.Relative));
        Assert.Equal(
            ("Banksia & Sons Mutual", "Banksia", "3", "Australia", "major-outage", "live", 198),
            (Name(bank), bank.GetProperty("shortName").GetString(), bank.GetProperty("tier").GetString(), bank.GetProperty("country").GetString(),
                bank.GetProperty("status").GetString(), bank.GetProperty("stage").GetString(), bank.GetProperty("averageDurationMs").GetInt32()));
        Assert.Equal(["open-banking", "pdf"], bank.GetProperty("methods").EnumerateArray().Select(m => m.GetString()));
        Assert.EndsWith("AU90001.svg", bank.GetProperty("logoUrl").GetString(), StringComparison.Ordinal);
        Assert.Equal(list.GetProperty("asOf").GetDateTimeOffset(), bank.GetProperty("asOf").GetDateTimeOffset());

        Assert.Equal(["Hooli"], await NamesAsync(app, "method=web"));
        Assert.Equal(["Wattle Creek Credit Union"], await NamesAsync(app, "q=cReDiT%20wATTLe"));
        Assert.Equal(["Bottlebrush Bank"], (await NamesAsync(app, "tier=1&country=australia&method=openbanking")).Where(name => name.StartsWith("Bo", StringComparison.Ordinal)));
        Assert.Equal(["Hooli"], await NamesAsync(app, "q=HOOLI%20au000"));
        Assert.Empty(await NamesAsync(app, "country=New%20Zealand"));
        Assert.Equal(1, await app.CountAsync("GET /connectors"));
    }

    [Theory]
    [InlineData("tier=5", "tier")]
    [InlineData("method=fax", "method")]
    [InlineData("country=", "country")]
    [InlineData("name=Hooli", "name")]
    public async Task A_query_that_means_nothing_is_named(string query, string field)
    {
        await using var app = await AppUnderTest.StartAsync();

        using var answer = await app.Api.GetAsync(new Uri($"institutions?{query}", UriKind.Relative));
        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _));
    }

    [Fact]
    public async Task Whoever_has_the_list_gets_a_304_until_it_is_read_anew()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(clock: clock);
        using var first = await app.Api.GetAsync(List);
        Assert.Equal(HttpStatusCode.NotModified, await AskWith(first.Headers.ETag!.ToString()));
        clock.Advance(TimeSpan.FromHours(1.1));
        Assert.Equal(HttpStatusCode.OK, await AskWith(first.Headers.ETag!.ToString()));
        Assert.Equal(2, await app.CountAsync("GET /connectors"));

        async Task<HttpStatusCode> AskWith(string tag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, List) { Headers = { { "If-None-Match", tag } } };
            using var answer = await app.Api.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    [InlineData(null)]
    public async Task The_list_is_the_same_in_each_coding_that_a_caller_takes(string? coding)
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:MoreBanks=50"]);
        using var api = new HttpClient { BaseAddress = app.Api.BaseAddress };
        var plain = await api.GetByteArrayAsync(List);
        for (var reads = 0; reads < 2; reads++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, List);
            if (coding is not null)
                request.Headers.Add("Accept-Encoding", coding);
            using var answer = await api.SendAsync(request);
            Assert.Equal((coding, "Accept-Encoding"), (answer.Content.Headers.ContentEncoding.SingleOrDefault(), answer.Headers.Vary.Single()));
            await using var body = await answer.Content.ReadAsStreamAsync();
            await using Stream decoded = coding switch { "br" => new BrotliStream(body, CompressionMode.Decompress), "gzip" => new GZipStream(body, CompressionMode.Decompress), _ => body };
            using var read = new MemoryStream();
            await decoded.CopyToAsync(read);
            Assert.Equal(plain, read.ToArray());
            Assert.Equal(coding is null, answer.Content.Headers.ContentLength == plain.Length);
        }
    }

    [Fact]
    public async Task A_bank_that_there_is_not_is_a_404_and_no_consent_link_leads_to_it()
    {
        await using var app = await AppUnderTest.StartAsync();
        using (var none = await app.Api.GetAsync(new Uri("institutions/AU12345", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(none, HttpStatusCode.NotFound, "institution-not-found");
        var userId = await app.CreateUserAsync();

        using var refused = await app.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { institutionId = "AU12345" });
        var problem = await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty("institutionId", out _));
        Assert.Contains("institutionId=AU90001", (await app.CreateConsentLinkAsync(userId, new { institutionId = "AU90001" })).Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_consent_link_does_not_wait_for_a_list_that_cannot_be_had()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:ShareOf500=1", "Sandbox:FaultsUnder=/connectors"]);
        var userId = await app.CreateUserAsync();

        Assert.Contains("institutionId=AU12345", (await app.CreateConsentLinkAsync(userId, new { institutionId = "AU12345" })).Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_instance_asked_between_the_look_at_the_list_and_the_claim_is_not_asked_again()
    {
        using var scene = new Scene(instances: 2);
        scene.Answers("operational");
        var hasAsked = false;
        var late = scene.CatalogOf(1, table => new InterceptedRecordTable(table)
        {
            Watches = (_, row) => row == "claim",
            Before = async step =>
            {
                if (step == "find" && !hasAsked)
                {
                    hasAsked = true;
                    await scene.CatalogOf(0).GetAsync(default);
                }
            },
        });

        Assert.False((await late.GetAsync(default)).IsStale);

        Assert.True(hasAsked);
        scene.Basiq.Verify(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>()), Times.Once);

        // Nor is its claim left behind.
        scene.Clock.Advance(TimeSpan.FromHours(1));
        Assert.All(await scene.CrowdAsync(), directory => Assert.False(directory.IsStale));
        scene.Basiq.Verify(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>()), Times.Exactly(2));
    }

    [Fact]
    public async Task Of_three_instances_with_a_crowd_each_one_asks_Basiq_once_an_hour()
    {
        using var scene = new Scene(instances: 3);
        scene.Answers("operational");

        await scene.CrowdAsync();
        scene.Clock.Advance(TimeSpan.FromMinutes(59));
        await scene.CrowdAsync();
        scene.Basiq.Verify(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>()), Times.Once);

        scene.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.All(await scene.CrowdAsync(), directory => Assert.False(directory.IsStale));
        scene.Basiq.Verify(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>()), Times.Exactly(2));

        // Half a minute later every instance has the new list.
        scene.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.All(await scene.CrowdAsync(), directory => Assert.InRange(directory.AsOf, scene.Start + TimeSpan.FromHours(1), scene.Start + TimeSpan.FromHours(1.01)));
    }

    [Fact]
    public async Task While_Basiq_is_away_the_list_serves_for_a_day_marked_as_stale_and_Basiq_is_asked_now_and_then()
    {
        using var scene = new Scene(instances: 2);
        scene.Answers("operational");
        await scene.CrowdAsync();
        scene.Fails();
        scene.Clock.Advance(TimeSpan.FromHours(1));
        scene.Basiq.Invocations.Clear();

        for (var minutes = 0; minutes < (22 * 60) + 40; minutes += 20)
        {
            scene.Clock.Advance(TimeSpan.FromMinutes(20));
            Assert.All(await scene.CrowdAsync(), directory => Assert.True(directory.IsStale && directory.AsOf < scene.Start + TimeSpan.FromMinutes(1)));
        }

        scene.Basiq.Verify(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>()), Times.Exactly(68));
        scene.Clock.Advance(TimeSpan.FromMinutes(20));
        await Assert.ThrowsAsync<BasiqException>(scene.CrowdAsync);

        scene.Answers("major-outage");
        Assert.All(await scene.CrowdAsync(), directory => Assert.Equal(("major-outage", false), (directory.All[0].Status, directory.IsStale)));
    }

    [Fact]
    public async Task While_Basiq_is_away_callers_are_given_the_list_for_a_day_marked_as_stale_and_then_Basiq_s_failure()
    {
        var clock = StandingClock.New();
        var upstream = new Upstream((_, body) => body);
        await using var app = await AppUnderTest.StartAsync(["Basiq:MaxRetries=0", "Sandbox:TokenLifetime=30.00:00:00"], clock, configure: upstream.Attach);
        var fresh = await ReadAsync(HttpStatusCode.OK);
        Assert.False(fresh.TryGetProperty("isStale", out _));
        upstream.Instead = call => call == "GET /connectors" ? StubBasiq.Error(HttpStatusCode.ServiceUnavailable, "service-unavailable") : null;

        for (var hour = 1; hour < 24; hour++)
        {
            clock.Advance(TimeSpan.FromHours(1));
            var stale = await ReadAsync(HttpStatusCode.OK);
            Assert.True(stale.GetProperty("isStale").GetBoolean());
            Assert.Equal(fresh.GetProperty("asOf").GetRawText(), stale.GetProperty("asOf").GetRawText());
            Assert.Equal(fresh.GetProperty("institutions").GetRawText(), stale.GetProperty("institutions").GetRawText());
        }

        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("basiq-unavailable", (await ReadAsync(HttpStatusCode.ServiceUnavailable)).GetProperty("code").GetString());
        upstream.Instead = _ => null;
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False((await ReadAsync(HttpStatusCode.OK)).TryGetProperty("isStale", out _));

        async Task<JsonElement> ReadAsync(HttpStatusCode status)
        {
            var reading = app.Api.GetAsync(List);
            while (!reading.IsCompleted)
            {
                await Task.WhenAny(reading, Task.Delay(50));
                if (!reading.IsCompleted)
                    clock.Advance(TimeSpan.FromMilliseconds(200));
            }

            using var answer = await reading;
            Assert.Equal(status, answer.StatusCode);
            return await AppUnderTest.ReadAsync(answer);
        }
    }

    [Fact]
    public async Task Every_page_of_the_connectors_is_read_and_an_odd_record_spoils_only_itself()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(
            () => Json("""{"type":"list","data":[{"id":"AU00001","method":"openbanking"},{"id":"AU00002"},7],"links":{"next":"/connectors?page=2"}}"""),
            () => Json("""{"type":"list","data":[{"id":"AU00003","method":"web","stats":{"averageDurationMs":null},"institution":{"name":"Three","logo":{"links":{"square":"javascript:alert(1)","full":"https://l.example/3.svg"}}}}],"links":{}}"""));

        var connectors = await test.RunAsync(test.Client.ListConnectorsAsync());

        Assert.Equal([("AU00001", "open-banking", "AU00001"), ("AU00003", "web", "Three")], connectors.Select(c => (c.InstitutionId, c.Method, c.Name)));
        Assert.Equal("https://l.example/3.svg", connectors[1].LogoUrl);

        test.Basiq.Script(() => Json("""{"type":"list","data":[]}"""));
        Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(test.Client.ListConnectorsAsync())).Kind);

        static HttpResponseMessage Json(string json) => AnswerTests.Page(HttpStatusCode.OK, json, "application/json");
    }

    private static async Task<string[]> NamesAsync(AppUnderTest app, string query) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>($"institutions?{query}")).GetProperty("institutions").EnumerateArray().Select(Name)];

    private static string Name(JsonElement bank) => bank.GetProperty("name").GetString()!;

    /// <summary>Instances of the app that share a table, a clock and a Basiq that the test scripts.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly ServiceProvider[] _instances;

        public Scene(int instances)
        {
            var tables = new MemoryRecordTables();
            _instances =
            [
                .. Enumerable.Range(0, instances).Select(_ => new ServiceCollection().AddLogging()
                    .AddSingleton<TimeProvider>(Clock).AddSingleton(Basiq.Object).AddSingleton<IRecordTables>(tables)
                    .AddBankConnections(new ConfigurationBuilder().Build()).BuildServiceProvider()),
            ];
        }

        public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

        public DateTimeOffset Start { get; } = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

        public Mock<IBasiqClient> Basiq { get; } = new(MockBehavior.Strict);

        public void Answers(string status) =>
            Basiq.Setup(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>())).Returns(async () =>
            {
                await Task.Yield();
                return [new Connector("AU00000", Connector.OpenBanking) { Name = "Hooli", Status = status }];
            });

        public void Fails() =>
            Basiq.Setup(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>())).ThrowsAsync(new BasiqException(new BasiqFailure(BasiqFailureKind.Unavailable, "circuit-open")));

        public InstitutionCatalog CatalogOf(int instance, Func<IRecordTable, IRecordTable>? around = null) =>
            around is null
                ? _instances[instance].GetRequiredService<InstitutionCatalog>()
                : ActivatorUtilities.CreateInstance<InstitutionCatalog>(
                    _instances[instance], around(_instances[instance].GetRequiredKeyedService<IRecordTable>(ConnectionOptions.Section)));

        /// <summary>Twenty callers at once on each instance.</summary>
        public async Task<InstitutionDirectory[]> CrowdAsync()
        {
            var crowd = Task.WhenAll(_instances.SelectMany(instance => Enumerable.Range(0, 20)
                .Select(_ => Task.Run(async () => await instance.GetRequiredService<InstitutionCatalog>().GetAsync(default)))));
            while (!crowd.IsCompleted)
            {
                await Task.WhenAny(crowd, Task.Delay(20));
                if (!crowd.IsCompleted)
                    Clock.Advance(TimeSpan.FromMilliseconds(1));
            }

            return await crowd;
        }

        public void Dispose()
        {
            foreach (var instance in _instances)
                instance.Dispose();
        }
    }
}
