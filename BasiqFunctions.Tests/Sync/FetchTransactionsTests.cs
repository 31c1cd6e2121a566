using System.Globalization;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>One activity's share of an account's transactions.</summary>
[Trait("Category", "Unit")]
public sealed class FetchTransactionsTests : IDisposable
{
    private const string Run = "sync-1";
    private const int Pages = 20;

    private readonly UsersScene _scene = new();
    private int _pages;

    public void Dispose() => _scene.Dispose();

    /// <summary>The plan with the shortest limit stops a host, and all that it runs, after 10 minutes.</summary>
    [Theory]
    [InlineData(0.5, new[] { 20 })]
    [InlineData(59, new[] { 6, 6, 6, 2 })]
    public async Task Slow_pages_make_an_activity_short_and_lose_nothing(double secondsPerPage, int[] pagesOfEach)
    {
        Basiq(TimeSpan.FromSeconds(secondsPerPage));
        var limit = HostTimeout();
        await _scene.Snapshots.Staging.StageAccountsAsync(UsersScene.Someone, new(Run), [Account()], CancellationToken.None);
        var activities = ActivatorUtilities.CreateInstance<SyncActivities>(_scene.Services);
        List<int> fetched = [];
        string? link = null;
        string? before = null;
        do
        {
            var start = _scene.Clock.GetTimestamp();
            var outcome = await activities.FetchTransactions(
                new FetchTransactionsInput(UsersScene.Someone, new(Run), new("a1"), fetched.Count, before, link, PageBudget: Pages, PageSize: 1), CancellationToken.None);

            Assert.Null(outcome.Failure);
            Assert.True(_scene.Clock.GetElapsedTime(start) < limit * 0.8, $"{_scene.Clock.GetElapsedTime(start)} of {limit}");
            fetched.Add(outcome.Value!.Count);
            (before, link) = (outcome.Value.Attempt, outcome.Value.NextLink);
        }
        while (link is not null);

        Assert.Equal(pagesOfEach, fetched);
    }

    private static TimeSpan HostTimeout()
    {
        using var host = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "host.json")));
        var timeout = TimeSpan.Parse(host.RootElement.GetProperty("functionTimeout").GetString()!, CultureInfo.InvariantCulture);
        Assert.True(timeout <= TimeSpan.FromMinutes(10), $"functionTimeout is {timeout}: the Consumption plan takes 10 minutes at most.");
        return timeout;
    }

    private void Basiq(TimeSpan perPage)
    {
        _scene.Basiq.Setup(b => b.GetTransactionsPageAsync(UsersScene.Someone, It.IsAny<BasiqFilter?>(), 1, It.IsAny<CancellationToken>()))
            .ReturnsAsync(NextPage);
        _scene.Basiq.Setup(b => b.GetNextTransactionsPageAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string link, CancellationToken _) =>
            {
                Assert.Equal(Link(_pages), link);
                return NextPage();
            });

        TransactionsPage NextPage()
        {
            _scene.Clock.Advance(perPage);
            _pages++;
            var links = _pages < Pages ? $$""","links":{"next":"{{Link(_pages)}}"}""" : "";
            return TransactionsPage.Parse(Encoding.UTF8.GetBytes(
                $$"""{"type":"list","data":[{"type":"transaction","id":"t{{_pages}}","account":"a1","status":"posted","amount":"-1.00","postDate":"2024-05-01T00:00:00Z"}]{{links}}}"""));
        }
    }

    private static string Link(int page) => string.Create(CultureInfo.InvariantCulture, $"https://au-api.basiq.io/users/user-1/transactions?next={page}");

    private static ReadOnlyMemory<byte> Account() =>
        """{"type":"account","id":"a1","balance":"1.00","connection":"c1","institution":"AU00000"}"""u8.ToArray();
}
