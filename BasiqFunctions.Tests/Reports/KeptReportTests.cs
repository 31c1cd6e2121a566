using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Reports;

/// <summary>How reports are kept: encrypted, for a while, and no longer than their people's consents.</summary>
[Trait("Category", "Unit")]
public sealed class KeptReportTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly UsersScene _scene = new();

    private ReportStore Store => _scene.Get<ReportStore>();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task What_a_report_says_is_stored_encrypted_and_is_bound_to_its_place()
    {
        var report = await KeptAsync("a1b2c3d4e5f6", UserId);
        var other = await KeptAsync("b1b2c3d4e5f6", UserId);

        Assert.Equal("what it says", Encoding.UTF8.GetString((await Store.ReadAsync(report, ReportPart.Json, default))!));
        var storage = _scene.Get<ISnapshotStorage>();
        var (name, otherName) = (SnapshotPaths.Report(UserId, report.ReportId) + ReportPart.Json, SnapshotPaths.Report(UserId, other.ReportId) + ReportPart.Json);
        var (blob, second) = ((await storage.ReadAsync(name, default))!, (await storage.ReadAsync(otherName, default))!);
        Assert.False(blob.Content.Span.IndexOf("says"u8) >= 0);
        Assert.NotEqual(blob.Content.ToArray(), second.Content.ToArray());

        // Another one in its place is not read.
        await storage.TryPutAsync(otherName, blob.Content, second.ETag, default);
        Assert.Null(await Store.ReadAsync(other, ReportPart.Json, default));
    }

    [Fact]
    public void A_key_that_is_used_again_for_another_report_gives_another_one()
    {
        var asked = new ReportRequest(ReportRequest.Affordability);

        Assert.Equal(UserReports.IdFor(UserId, asked, "key"), UserReports.IdFor(UserId, new ReportRequest(ReportRequest.Affordability), "key"));
        Assert.Equal(
            4,
            new[]
            {
                UserReports.IdFor(UserId, asked, "key"), UserReports.IdFor(UserId, asked with { Title = "Another" }, "key"),
                UserReports.IdFor(new("user-2"), asked, "key"), UserReports.IdFor(UserId, asked, "key-2"),
            }.Distinct().Count());
    }

    [Fact]
    public async Task A_report_goes_once_it_has_been_kept_as_long_as_it_may_be()
    {
        await _scene.Get<DueWork>().BeginAsync(default);
        await KeptAsync("a1b2c3d4e5f6", UserId);
        _scene.Clock.Advance(TimeSpan.FromDays(10));
        var later = await KeptAsync("b1b2c3d4e5f6", UserId);
        _scene.Clock.Advance(TimeSpan.FromDays(21));

        // By a clock that Basiq contradicts nothing goes.
        await _scene.PassAsync(TimeSpan.FromDays(21));
        Assert.Equal(2, (await Store.ListAsync(UserId, default)).Count);
        await _scene.PassAsync(TimeSpan.Zero);

        Assert.Equal(later.ReportId, Assert.Single(await Store.ListAsync(UserId, default)).ReportId);
        Assert.False(await _scene.Get<ISnapshotStorage>().ExistsAsync(SnapshotPaths.Report(UserId, new("a1b2c3d4e5f6")) + ReportPart.Json, default));
        Assert.NotNull(await Store.ReadAsync(later, ReportPart.Json, default));
        _scene.Clock.Advance(TimeSpan.FromDays(11));
        await _scene.PassAsync(TimeSpan.Zero);
        Assert.Equal(0, await CountAsync(UserId));
        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task A_removal_counts_and_takes_the_reports_of_a_person_of_whom_nothing_else_is_kept()
    {
        await KeptAsync("a1b2c3d4e5f6", "user-2", UserId);

        var removed = await _scene.Get<Removals>().RunAsync(_scene.Durable.Client, UserId, null, new DeletionCause(DeletionReason.ConsentRevoked, "c"));

        Assert.Equal((1, 0L), (removed.Receipt!.Reports, removed.Receipt.Accounts));
        Assert.Equal(0, await CountAsync(new("user-2")));
        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task A_request_whose_host_died_before_it_could_start_anything_goes_when_a_report_would()
    {
        await _scene.Get<DueWork>().BeginAsync(default);
        await Store.AskAsync(Report("a1b2c3d4e5f6", UserId), new ReportRequest("affordability", Title: "Home loan"), default);
        Assert.Empty(await Store.ListAsync(UserId, default));
        _scene.Clock.Advance(TimeSpan.FromDays(29));
        await _scene.PassAsync(TimeSpan.Zero);
        Assert.True(_scene.HasSnapshotFiles);

        _scene.Clock.Advance(TimeSpan.FromDays(2));
        await _scene.PassAsync(TimeSpan.Zero);

        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task A_report_that_is_removed_before_it_has_begun_does_not_begin()
    {
        var report = Report("a1b2c3d4e5f6", "user-2", UserId);
        await Store.AskAsync(report, new ReportRequest("affordability"), default);
        await Store.RemoveAsync(report, default);

        Assert.False(await Store.BeginAsync(report, default));

        Assert.Equal((0, 0), (await CountAsync(UserId), await CountAsync(new("user-2"))));
    }

    [Fact]
    public async Task Who_is_slow_to_begin_leaves_alone_what_has_failed_meanwhile()
    {
        var report = Report("a1b2c3d4e5f6", UserId);
        await Store.AskAsync(report, new ReportRequest("affordability"), default);
        Assert.True(await Store.BeginAsync(report, default));
        await Store.ChangeAsync(UserId, report.ReportId, found => found with { State = ReportState.Failed, Error = "job-timed-out" }, default);
        await Store.RemoveBlobsAsync(UserId, report.ReportId, default);

        Assert.True(await Store.BeginAsync(report, default));

        Assert.Equal(ReportState.Failed, (await Store.FindAsync(UserId, report.ReportId, default))!.State);
    }

    [Fact]
    public async Task Who_adds_to_a_report_that_was_removed_meanwhile_is_told()
    {
        var report = await KeptAsync("a1b2c3d4e5f6", UserId);
        await Store.RemoveAsync(report, default);

        Assert.Null(await Store.ChangeAsync(UserId, report.ReportId, found => found with { State = ReportState.Ready }, default));
        Assert.Null(await Store.FindAsync(UserId, report.ReportId, default));
    }

    [Fact]
    public async Task Three_instances_that_share_their_storage_ask_for_a_thousand_reports_a_day_and_not_one_more()
    {
        const int Asked = 1_050;
        using var folder = new TemporaryDirectory();
        using var tables = SqliteRecordTables.Open(Path.Combine(folder.Path, "records.db"));
        var blobs = new MemorySnapshotStorage(_scene.Clock);
        UsersScene[] instances = [.. Enumerable.Range(0, 3).Select(_ => new UsersScene(services => services.AddSingleton<IRecordTables>(tables).AddSingleton<ISnapshotStorage>(blobs)))];
        try
        {
            var answers = new ConcurrentBag<Answer>();
            await Parallel.ForEachAsync(
                Enumerable.Range(0, Asked), new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (n, _) => answers.Add(await AskAsync(instances[n % 3], new($"user-{n % 70}"))));

            Assert.Equal(1_000, answers.Count(answer => answer.Status == 202));
            Assert.Equal(1_000, instances.SelectMany(instance => instance.Durable.Scheduled).Distinct().Count());
            Assert.Equal(1_000, answers.Where(answer => answer.Status == 202).Select(answer => answer.Json.GetProperty("reportId").GetString()).Distinct().Count());
            var refused = answers.Where(answer => answer.Status != 202).ToArray();
            Assert.Equal(Asked - 1_000, refused.Length);
            foreach (var answer in refused)
            {
                answer.IsProblem(429, "report-limit");
                Assert.Equal($"{12 * 60 * 60}", answer.Headers.RetryAfter.ToString());
            }

            // From midnight UTC on there are a thousand more.
            foreach (var instance in instances)
                instance.Clock.Advance(TimeSpan.FromHours(12));
            Assert.Equal(202, (await AskAsync(instances[1], UserId)).Status);
        }
        finally
        {
            foreach (var instance in instances)
                instance.Dispose();
        }

        static Task<Answer> AskAsync(UsersScene instance, UserId userId) => instance.CallAsync<ReportFunctions>(
            (functions, request) => functions.CreateReport(request, userId, instance.Durable.Client, default), """{"type":"affordability"}""");
    }

    [Fact]
    public async Task An_affordability_report_names_each_account_at_a_connected_bank_once_and_no_other()
    {
        var report = Report("a1b2c3d4e5f6", UserId);
        await Store.AskAsync(report, new ReportRequest(ReportRequest.Affordability), default);
        Assert.True(await Store.BeginAsync(report, default));
        ReportDetails? sent = null;
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(
        [
            Connection.Parse("""{"id":"old","method":"open-banking","status":"invalid"}"""), Connection.Parse("""{"id":"bank","method":"open-banking","status":"active"}"""),
            Connection.Parse("""{"id":"upload","method":"pdf","status":"active"}"""), Connection.Parse("""{"id":"gone","status":"deleted"}"""),
        ]);
        _scene.Basiq.Setup(b => b.ListAccountsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(
        [
            Account("savings-before", "old", "062-000 1", "Savings"), Account("card", "old", "", "Card"), Account("savings", "bank", "062000 1", "Savings"),
            Account("joint", "bank", "062000 2", "Savings"), Account("second-card", "bank", "", "Card"), Account("savings", "bank", "062000 1", "Savings"),
            Account("read-from-pdf", "upload", "3", "Savings"), Account("deleted", "gone", "4", "Savings"), Account("unlisted", "elsewhere", "5", "Savings"),
        ]);
        _scene.Basiq.Setup(b => b.CreateReportAsync(It.IsAny<ReportDetails>(), It.IsAny<CancellationToken>()))
            .Callback((ReportDetails details, CancellationToken _) => sent = details).ReturnsAsync(new JobId("job-1"));
        _scene.Get<ClockCheck>().Note(_scene.Clock.GetUtcNow());

        var ordered = await ActivatorUtilities.CreateInstance<ReportActivities>(_scene.Services)
            .OrderReport(new ReportStep(UserId, report.ReportId), _scene.Durable.Client, default);

        Assert.Equal(new JobId("job-1"), ordered.Value!.JobId);
        Assert.Equal("""["savings","joint","second-card","card"]""", Assert.Single(sent!.Filters, filter => filter.Name == "accounts").Value.ToJsonString());

        static JsonElement Account(string id, string connectionId, string number, string name) => JsonElement.Parse(
            $$$"""{"id":"{{{id}}}","connection":"{{{connectionId}}}","institution":"AU00000","accountNo":"{{{number}}}","currency":"AUD","name":"{{{name}}}","class":{"type":"savings"}}""");
    }

    private Task<int> CountAsync(UserId userId) => Store.CountAsync(userId, null, _scene.Clock.GetUtcNow(), default);

    private KeptReport Report(string reportId, params string[] userIds) => new(new(reportId), [.. userIds.Select(user => new UserId(user))], "affordability", _scene.Clock.GetUtcNow(), ReportState.InProgress);

    private async Task<KeptReport> KeptAsync(string reportId, params string[] userIds)
    {
        var report = Report(reportId, userIds);
        await Store.AskAsync(report, new ReportRequest("affordability"), default);
        Assert.True(await Store.BeginAsync(report, default));
        await Store.WriteAsync(report, ReportPart.Json, "what it says"u8.ToArray(), default);
        return (await Store.ChangeAsync(new(userIds[0]), new(reportId), found => found with { State = ReportState.Ready }, default))!;
    }
}
