using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed again and again while it tells who is affected by the outage of a bank.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledOutageTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private const string Watch = "outage-AU00000.open-banking";

    private HostBesideSandbox _scene = null!;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.2", ["Webhooks"] = "false", ["TransactionsPerAccount"] = "3" }, "Sync:FirstPollDelay=00:00:00.1");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [SkippableFact]
    public async Task Whoever_an_outage_affects_is_told_once_of_its_start_and_no_bank_is_visited()
    {
        await using var receiver = await Receiver.StartAsync();
        IReadOnlyList<string> people;
        var host = await _scene.StartHostAsync();
        try
        {
            people = await PeopleAsync(host, receiver, 3);
            await SetStatusAsync("major-outage");
            var visits = await VisitsAsync();
            for (var person = 0; person < people.Count; person++)
            {
                var runs = await RunsAsync();
                await RefreshInVainAsync(host, people[person]);
                await StepAsync(runs + person);
                _scene.Kill(host);
                host = await _scene.StartHostAsync();
            }

            await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken.Length), taken => taken >= people.Count);
            Assert.Equal(visits, await VisitsAsync());
        }
        finally
        {
            host.Dispose();
        }

        AssertToldOnceOfTheStart(people, receiver.Taken);
    }

    [SkippableFact]
    public async Task They_are_told_once_of_its_end()
    {
        using var clock = new SettableClock();
        await using var receiver = await Receiver.StartAsync();
        IReadOnlyList<string> people;
        var host = await _scene.StartHostAsync(clock.Environment);
        try
        {
            people = await PeopleAsync(host, receiver, 2);
            await SetStatusAsync("major-outage");
            foreach (var person in people)
                await RefreshInVainAsync(host, person);
            await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken.Length), taken => taken >= people.Count);

            // It is looked after every ten minutes.
            await SetStatusAsync("operational");
            _scene.Kill(host);
            clock.Set(TimeSpan.FromMinutes(11));
            var before = await RunsAsync();
            for (var step = 1; step <= 4; step++)
            {
                host = await _scene.StartHostAsync(clock.Environment);
                await StepAsync(before + step);
                _scene.Kill(host);
            }

            host = await _scene.StartHostAsync(clock.Environment);
            await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken.Length), taken => taken >= 2 * people.Count);
            await AppUnderTest.WaitForAsync(
                () => _scene.AskAsync("records.db", "SELECT count(*) FROM records WHERE part LIKE 'outage-%' OR row LIKE 'outage.%'"), notes => notes is 0L);
        }
        finally
        {
            host.Dispose();
        }

        AssertToldOnceOfTheStart(people, receiver.Taken[..people.Count]);
        Assert.Equal(people.Order(), receiver.Taken[people.Count..].Select(UserOf).Order());
        Assert.All(receiver.Taken[people.Count..], message => Assert.Equal("connection.recovered", message.Type));
    }

    /// <summary>People with a bank, of whose outages a receiver is told.</summary>
    private async Task<IReadOnlyList<string>> PeopleAsync(LocalHostProcess host, Receiver receiver, int count)
    {
        using var set = await host.Api.PutAsJsonAsync(
            "notifications/subscription", new { url = receiver.Url, events = (string[])["connection.attention", "connection.recovered"] });
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        List<string> people = [];
        while (people.Count < count)
        {
            var (userId, syncId) = await _scene.StartSyncAsync(host, "Whistler");
            await HostBesideSandbox.CompletedAsync(host, userId, syncId);
            people.Add(userId);
        }

        return people;
    }

    private static async Task RefreshInVainAsync(LocalHostProcess host, string userId)
    {
        using var refresh = await host.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true });
        Assert.Contains("wait-for-bank", await refresh.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static void AssertToldOnceOfTheStart(IReadOnlyList<string> people, IReadOnlyCollection<Receiver.Received> messages)
    {
        Assert.Equal(people.Order(), messages.Select(UserOf).Order());
        Assert.All(messages, message => Assert.Equal(("connection.attention", "wait-for-bank"), (message.Type, message.Data.GetProperty("nextAction").GetString())));
    }

    private static string UserOf(Receiver.Received message) => message.Data.GetProperty("userId").GetString()!;

    /// <summary>Waits until so many activities of the watch have run, be it in vain.</summary>
    private Task StepAsync(long runs) => AppUnderTest.WaitForAsync(RunsAsync, found => found >= runs);

    private async Task<long> RunsAsync() => Convert.ToInt64(
        await _scene.AskAsync("journal.db", $"SELECT count(*) FROM activity_runs WHERE instance_id = '{Watch}'"), CultureInfo.InvariantCulture);

    private async Task<long> VisitsAsync() =>
        (await _scene.Basiq.GetFromJsonAsync<JsonElement>("_sandbox/stats")).GetProperty("bankVisits").GetProperty("asked").GetInt64();

    private Task SetStatusAsync(string status) =>
        _scene.SetSandboxAsync(new { connectorStatuses = new Dictionary<string, string> { ["AU00000"] = status } });
}
