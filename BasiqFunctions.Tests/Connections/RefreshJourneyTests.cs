using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Edges;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Connections;

/// <summary>Callers that refresh as fast as they can for a day, over HTTP, of three instances that share their records.</summary>
[Trait("Category", "Journeys")]
public sealed class RefreshJourneyTests
{
    private const int Instances = 3;

    /// <summary>More of them: REFRESH_CONNECTIONS=1000 dotnet test --filter RefreshJourneyTests.</summary>
    private static readonly int Connections = int.Parse(Environment.GetEnvironmentVariable("REFRESH_CONNECTIONS") ?? "12", CultureInfo.InvariantCulture);

    /// <summary>Midnight in Sydney.</summary>
    private static readonly DateTimeOffset Midnight = new(2026, 9, 30, 14, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Midnight);
    private readonly ConcurrentDictionary<string, int> _visits = new(StringComparer.Ordinal);

    // Every hour a program tries each connection at each instance, and every other hour a person comes by.
    [Fact]
    public async Task Banks_are_visited_as_often_as_the_budget_allows_people_get_their_part_and_all_others_are_told_when()
    {
        using var telemetry = new TelemetryCapture();
        var tables = new MemoryRecordTables();
        var apps = await Task.WhenAll(Enumerable.Range(0, Instances).Select(_ => StartAsync(tables)));
        try
        {
            var (people, programs, spent) = (new int[Connections], new int[Connections], 0);
            for (var hour = 0; hour < 24; hour++)
            {
                await Parallel.ForEachAsync(
                    from connection in Enumerable.Range(0, Connections)
                    from instance in Enumerable.Range(0, Instances)
                    select (connection, instance),
                    new ParallelOptions { MaxDegreeOfParallelism = 6 },
                    async (caller, _) =>
                    {
                        await RefreshAsync(caller.instance, caller.connection, isAttended: false, programs);
                        if (caller.instance == 0 && hour % 2 == 1)
                            await RefreshAsync(caller.instance, caller.connection, isAttended: true, people);
                    });
                _clock.Advance(TimeSpan.FromMinutes(59));
            }

            Assert.All(_visits.Values, visits => Assert.Equal(20, visits));
            Assert.Equal(Connections, _visits.Count);
            Assert.All(programs, visits => Assert.Equal(12, visits));
            Assert.All(people, visits => Assert.Equal(8, visits));
            Assert.Equal(Connections * ((24 * Instances) + 12 - 20), spent);
            Assert.Equal((20.0 * Connections, (double)spent), (Counted("made"), Counted("spent")));

            // The next day begins.
            _clock.Advance(TimeSpan.FromMinutes(24));
            await RefreshAsync(1, 0, isAttended: false, programs);
            Assert.Equal(13, programs[0]);

            async Task RefreshAsync(int instance, int connection, bool isAttended, int[] made)
            {
                using var answer = await apps[instance].Api.PostAsJsonAsync(
                    $"users/user-{connection}/refresh", new { connectionId = $"connection-{connection}", force = true, attended = isAttended });
                if (answer.StatusCode is HttpStatusCode.Accepted)
                {
                    Interlocked.Increment(ref made[connection]);
                    return;
                }

                await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.TooManyRequests, "refresh-budget-spent");
                Assert.Equal(Midnight.AddDays(1) - _clock.GetUtcNow(), answer.Headers.RetryAfter!.Delta);
                Interlocked.Increment(ref spent);
            }

            double Counted(string outcome) => apps.Sum(app => telemetry.SumsOf(app.Services, "basiq.bank.visits").Where(sum => sum.Key.Contains(outcome, StringComparison.Ordinal)).Sum(sum => sum.Value));
        }
        finally
        {
            foreach (var app in apps)
                await app.DisposeAsync();
        }
    }

    private Task<AppUnderTest> StartAsync(IRecordTables tables)
    {
        var upstream = new Upstream((_, body) => body) { Instead = Basiq };
        return AppUnderTest.StartAsync(
            ["Sandbox:TokenLifetime=30.00:00:00", "Logging:LogLevel:Default=Warning"],
            _clock,
            configure: services =>
            {
                upstream.Attach(services);
                services.AddSingleton(tables);
            });
    }

    /// <summary>Basiq as one who refreshes meets it: each refresh is a job of its own, which ends at once.</summary>
    private HttpResponseMessage? Basiq(string call) => call.Split('/') switch
    {
        ["GET ", "users", _, "connections", var id] => StubBasiq.Json(
            $$$"""{"type":"connection","id":"{{{id}}}","status":"active","method":"open-banking","lastUsed":"2026-09-01T00:00:00Z","institution":{"type":"institution","id":"AU00000"}}"""),
        ["POST ", "users", _, "connections", var id, "refresh"] => StubBasiq.Json(
            $$$"""{"type":"job","id":"job-{{{id}}}-{{{_visits.AddOrUpdate(id, 1, (_, visits) => visits + 1)}}}"}""", HttpStatusCode.Accepted),
        ["GET ", "users", _, "jobs"] => StubBasiq.Json("""{"type":"list","data":[]}"""),
        ["GET ", "jobs", var id] => StubBasiq.Json(
            $$$"""{"type":"job","id":"{{{id}}}","steps":[{"title":"verify-credentials","status":"failed","result":{"code":"invalid-credentials"}}]}"""),
        _ => null,
    };
}
