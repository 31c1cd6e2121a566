using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>The histories of what has ended go when their time is over, each kind at its own, in calls of which none takes long.</summary>
[Trait("Category", "Journeys")]
public sealed class PurgeFinishedSyncsTests : IDisposable
{
    private static readonly OrchestrationRuntimeStatus[] Finished =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Mock<DurableTaskClient> _client = new(MockBehavior.Strict, "test");
    private readonly List<PurgeInstancesFilter> _slices = [];
    private readonly List<OrchestrationQuery> _queries = [];
    private readonly Dictionary<string, int> _left = [];
    private readonly ClockCheck _check;
    private readonly LogCapture _logs = new();
    private int _old;

    public PurgeFinishedSyncsTests()
    {
        _check = new ClockCheck(_clock, NullLogger<ClockCheck>.Instance);
        _client.Setup(c => c.PurgeAllInstancesAsync(It.IsAny<PurgeInstancesFilter>(), It.IsAny<PurgeInstanceOptions?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((PurgeInstancesFilter filter, PurgeInstanceOptions? _, CancellationToken _) =>
            {
                _slices.Add(filter);
                var purged = Math.Min(_old, 1_000);
                _old -= purged;
                return new PurgeResult(purged, isComplete: _old == 0);
            });
        _client.Setup(c => c.GetAllInstancesAsync(It.IsAny<OrchestrationQuery?>())).Returns((OrchestrationQuery? query) =>
        {
            _queries.Add(query!);
            var prefix = query!.InstanceIdPrefix ?? "sync-";
            return new Pages([.. Enumerable.Range(0, _left.GetValueOrDefault(prefix)).Select(i => new OrchestrationMetadata("", $"{prefix}{i}"))], query.PageSize);
        });
        _client.Setup(c => c.PurgeInstanceAsync(It.IsAny<string>(), It.IsAny<PurgeInstanceOptions?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string id, PurgeInstanceOptions? _, CancellationToken _) =>
            {
                lock (_left)
                    _left[id[..(id.IndexOf('-', StringComparison.Ordinal) + 1)]]--;
                return new PurgeResult(1);
            });
    }

    public void Dispose() => _logs.Dispose();

    [Fact]
    public async Task What_is_older_than_every_kind_is_kept_for_goes_in_slices_until_none_is_left()
    {
        _old = 12_345;
        await RunAsync(("sync-", 30), ("event-", 30));

        Assert.Equal(13, _slices.Count);
        Assert.All(_slices, slice =>
        {
            Assert.InRange(slice.Timeout!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            Assert.Equal(_clock.GetUtcNow().AddDays(-30), slice.CreatedTo);
            Assert.Equal(Finished, slice.Statuses);
        });
        Assert.Empty(_queries);
    }

    [Fact]
    public async Task A_kind_that_is_kept_for_less_goes_at_its_own_time_and_takes_no_other_along()
    {
        (_old, _left["event-"], _left["remove-"], _left["sync-"]) = (1, 250, 7, 3);
        await RunAsync(("sync-", 30), ("event-", 14), ("remove-", 20));

        Assert.Equal((0, 0, 3), (_left["event-"], _left["remove-"], _left["sync-"]));
        Assert.Equal(
            [("event-", _clock.GetUtcNow().AddDays(-14)), ("remove-", _clock.GetUtcNow().AddDays(-20))],
            _queries.Select(query => (query.InstanceIdPrefix, query.CreatedTo!.Value)));
        Assert.All(_queries, query => Assert.Equal(Finished, query.Statuses));
        Assert.DoesNotContain(_queries, query => query.FetchInputsAndOutputs);
        Assert.Equal(_clock.GetUtcNow().AddDays(-30), Assert.Single(_slices).CreatedTo);
    }

    [Fact]
    public async Task What_lies_behind_more_rows_than_a_slice_can_read_goes_page_by_page()
    {
        _left["sync-"] = 250;
        _client.Setup(c => c.PurgeAllInstancesAsync(It.IsAny<PurgeInstancesFilter>(), It.IsAny<PurgeInstanceOptions?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync(new PurgeResult(0, isComplete: false));
        await RunAsync(("sync-", 30)).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(0, _left["sync-"]);
        Assert.Equal((null, _clock.GetUtcNow().AddDays(-30)), (Assert.Single(_queries).InstanceIdPrefix, _queries[0].CreatedTo));
    }

    [Fact]
    public async Task It_stops_in_time_with_what_is_kept_for_less_done_first_and_goes_on_the_next_day()
    {
        (_old, _left["event-"]) = (100_000, 100);
        _client.Setup(c => c.PurgeAllInstancesAsync(It.IsAny<PurgeInstancesFilter>(), It.IsAny<PurgeInstanceOptions?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((PurgeInstancesFilter filter, PurgeInstanceOptions? _, CancellationToken _) =>
            {
                _clock.Advance(filter.Timeout!.Value);
                _old -= 1_000;
                return new PurgeResult(1_000, isComplete: false);
            });
        var begun = _clock.GetUtcNow();
        await RunAsync(("sync-", 30), ("event-", 14));

        Assert.Equal(0, _left["event-"]);
        Assert.InRange(_clock.GetUtcNow() - begun, TimeSpan.FromMinutes(8), TimeSpan.FromMinutes(9));
        Assert.Contains(_logs.Lines, line => line.Contains("[1310] Purged 17100 finished orchestrations and ran out of time", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_kind_of_orchestration_is_kept_for_the_time_of_its_setting()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:KeepFinishedFor=40.00:00:00", "Webhooks:RememberFor=9.00:00:00", "Removal:KeepFinishedFor=50.00:00:00"]);
        Assert.Equal(
            [("deliver-", 1), ("event-", 9), ("outage-", 1), ("remove-", 50), ("report-", 30), ("sync-", 40)],
            app.Services.GetServices<KeptHistory>().Select(kept => (kept.Prefix, kept.For.TotalDays)).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_that_has_just_started_asks_Basiq_for_the_date_first(bool isRefused)
    {
        _old = 7;
        var asked = new Mock<IBasiqClient>(MockBehavior.Strict);
        asked.Setup(b => b.ListWebhooksAsync(It.IsAny<CancellationToken>())).Returns(() =>
        {
            _check.Note(_clock.GetUtcNow());
            return isRefused
                ? Task.FromException<IReadOnlyList<Webhook>>(new BasiqException(new BasiqFailure(BasiqFailureKind.Forbidden, "access-denied")))
                : Task.FromResult<IReadOnlyList<Webhook>>([]);
        });
        await new PurgeFinishedSyncs([new KeptHistory("sync-", TimeSpan.FromDays(30))], asked.Object, _check, _clock, NullLogger<PurgeFinishedSyncs>.Instance)
            .Run(null!, _client.Object, default);
        Assert.Equal(0, _old);
    }

    [Fact]
    public async Task Nothing_is_purged_by_a_clock_that_Basiq_dates_otherwise()
    {
        _old = 7;
        var asked = new Mock<IBasiqClient>(MockBehavior.Strict);
        asked.Setup(b => b.ListWebhooksAsync(It.IsAny<CancellationToken>())).Returns(() =>
        {
            _check.Note(_clock.GetUtcNow().AddDays(-41));
            return Task.FromResult<IReadOnlyList<Webhook>>([]);
        });
        await new PurgeFinishedSyncs([new KeptHistory("sync-", TimeSpan.FromDays(30))], asked.Object, _check, _clock, NullLogger<PurgeFinishedSyncs>.Instance)
            .Run(null!, _client.Object, default);
        Assert.Empty(_slices);
    }

    private Task RunAsync(params (string Prefix, int Days)[] kinds)
    {
        _check.Note(_clock.GetUtcNow());
        return new PurgeFinishedSyncs(
            kinds.Select(kind => new KeptHistory(kind.Prefix, TimeSpan.FromDays(kind.Days))), Mock.Of<IBasiqClient>(MockBehavior.Strict), _check, _clock, new LoggerFactory([_logs]).CreateLogger<PurgeFinishedSyncs>())
            .Run(null!, _client.Object, default);
    }

    private sealed class Pages(IReadOnlyList<OrchestrationMetadata> instances, int size) : AsyncPageable<OrchestrationMetadata>
    {
        public override async IAsyncEnumerable<Page<OrchestrationMetadata>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            await Task.CompletedTask;
            foreach (var page in instances.Chunk(size))
                yield return new Page<OrchestrationMetadata>(page);
        }
    }
}
