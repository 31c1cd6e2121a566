using System.Globalization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Moq;
using static BasiqFunctions.Tests.Users.UsersScene;

namespace BasiqFunctions.Tests.Connections;

/// <summary>Once a day Basiq is asked what its background refreshes came to, of users about whom no event arrived.</summary>
[Trait("Category", "Unit")]
public sealed class JobLookTests : IDisposable
{
    private readonly UsersScene _scene = new();
    private readonly List<Notice> _told = [];

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_failure_that_the_person_can_mend_is_told_and_a_success_that_no_event_told_of_is_fetched()
    {
        await _scene.PublishAsync(Someone, "c1", "c2", "c3");
        _scene.Clock.Advance(TimeSpan.FromHours(5));
        Jobs(
            Job("a", "c1", "failed", "user-action-required"), Job("b", "c2", "success"), Job("z", "c3", "failed", "service-unavailable"),
            Job("old", "c1", "success", at: _scene.Clock.GetUtcNow().AddHours(-1)), Job("other", "c9", "failed", "invalid-credentials"));

        Assert.Equal(new DateTimeOffset(2024, 6, 2, 0, 0, 0, TimeSpan.Zero), await LookAsync());

        var notice = Assert.Single(_told);
        Assert.Equal(
            (NoticeTypes.ConnectionAttention, "c1", "act-at-bank", true), (notice.Type, notice.Data.ConnectionId, notice.Data.NextAction, notice.OnlyIfNews));
        Assert.Equal([SyncIds.ForNews(Someone, new("c2"), "b")], _scene.Durable.Scheduled);

        // The next day it is told once more, for whoever died before it was told; it is the same message. From then on nothing has happened since.
        foreach (var times in (int[])[2, 2])
        {
            _scene.Clock.Advance(TimeSpan.FromDays(1));
            await LookAsync();
            Assert.Equal(times, _told.Count);
        }

        Assert.Single(_told.Distinct());
        Assert.Single(_scene.Durable.Scheduled);
        Asked(3);
    }

    [Fact]
    public async Task Where_an_event_of_each_connection_arrived_since_the_last_look_nothing_is_asked()
    {
        await _scene.PublishAsync(Someone, "c1");
        Jobs(Job("a", "c1", "success"));
        await LookAsync();
        Asked(1);

        _scene.Clock.Advance(TimeSpan.FromHours(3));
        await _scene.Get<JobLooks>().HeardAsync(Someone, new("c1"), default);
        _scene.Clock.Advance(TimeSpan.FromHours(21));
        await LookAsync();
        Asked(1);
        _scene.Clock.Advance(TimeSpan.FromDays(1));
        await LookAsync();
        Asked(2);
    }

    [Fact]
    public async Task Events_of_one_bank_say_nothing_of_another()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        Jobs();
        await LookAsync();

        _scene.Clock.Advance(TimeSpan.FromHours(20));
        await _scene.Get<JobLooks>().HeardAsync(Someone, new("c1"), default);
        Jobs(Job("a", "c2", "failed", "user-action-required"));
        _scene.Clock.Advance(TimeSpan.FromHours(4));
        await LookAsync();

        Assert.Equal(new ConnectionId("c2"), Assert.Single(_told).Data.ConnectionId);
    }

    [Fact]
    public async Task A_user_of_whom_nothing_is_kept_is_not_due_again()
    {
        Jobs();
        Assert.Null(await LookAsync());
        Asked(0);
    }

    [Fact]
    public async Task The_daily_pass_looks_once_a_day()
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync([Consent.Parse("""{"id":"x","status":"active"}""")]);
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync([Connection.Parse("""{"id":"c1","status":"active"}""")]);
        await _scene.Get<DueWork>().SetAsync(Someone, default, (DueKinds.JobLook, _scene.Clock.GetUtcNow()));
        Jobs();

        for (var day = 1; day <= 3; day++)
        {
            _scene.Clock.Advance(TimeSpan.FromDays(1));
            await _scene.PassAsync(TimeSpan.Zero);
            Asked(day);
        }
    }

    private Job Job(string id, string connectionId, string status, string? code = null, DateTimeOffset? at = null) => new()
    {
        Id = new(id),
        Updated = (at ?? _scene.Clock.GetUtcNow()).ToString("O", CultureInfo.InvariantCulture),
        Steps = [new JobStep { Title = "retrieve-accounts", Status = status, Result = code is null ? null : new JobStepResult { Code = code } }],
        Links = new JobLinks { Source = $"https://basiq.example/users/{Someone}/connections/{connectionId}" },
    };

    private void Jobs(params Job[] jobs) => _scene.Basiq.Setup(b => b.ListJobsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync(jobs);

    private Task<DateTimeOffset?> LookAsync() => _scene.Get<JobLooks>().LookAsync(_scene.Durable.Client, Someone, _told.Add, default);

    private void Asked(int times) => _scene.Basiq.Verify(b => b.ListJobsAsync(Someone, It.IsAny<CancellationToken>()), Times.Exactly(times));
}
