using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;

namespace BasiqFunctions.Tests.Sync;

/// <summary>What a sync keeps and tells of its jobs.</summary>
[Trait("Category", "Unit")]
public sealed class SyncProgressTests
{
    [Fact]
    public void A_bank_s_free_text_is_not_kept()
    {
        var job = SyncedJob.From(Failed("invalid-credentials", "Invalid credentials"));

        Assert.Equal("Invalid credentials", job.Steps[1].Detail);
        Assert.DoesNotContain("Gavin", JsonSerializer.Serialize(job), StringComparison.Ordinal);
    }

    [Fact]
    public void An_explanation_is_kept_without_what_is_personal_and_not_at_any_length()
    {
        var job = SyncedJob.From(Failed("x", "Account 123-456-789 of gavin@hooli.com is locked. " + new string('a', 500)));

        var detail = job.Steps[1].Detail!;
        Assert.StartsWith("Account ***** of ***@*** is locked.", detail, StringComparison.Ordinal);
        Assert.True(detail.Length <= SyncedStep.MostDetailLength + 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(50)]
    public void However_many_jobs_there_are_the_progress_fits_a_custom_status(int count)
    {
        var jobs = Enumerable.Range(0, count).Select(i => SyncedJob.From(Failed("invalid-credentials", new string('d', 400))) with
        {
            JobId = new(Guid.NewGuid().ToString()),
            ConnectionId = new(Guid.NewGuid().ToString()),
        });
        var progress = new SyncProgress(SyncState.Partial, [.. jobs], new AccountProgress(1_000, 1_000), 10_000_000, new SyncError("x", "y"));

        var fitted = progress.ToFit();

        Assert.True(JsonSerializer.Serialize(fitted).Length <= SyncProgress.MostCharacters);
        Assert.Equal(progress.Jobs.Select(j => (j.JobId, j.Status, j.NextAction)), fitted.Jobs.Select(j => (j.JobId, j.Status, j.NextAction)));
        if (count <= 10)
            Assert.All(fitted.Jobs, j => Assert.Equal("invalid-credentials", j.Steps.Single(s => s.Code is not null).Code));
        if (count == 1)
            Assert.NotNull(fitted.Jobs[0].Steps[1].Detail);
    }

    [Fact]
    public void As_many_jobs_as_a_sync_takes_with_the_longest_ids_fit_a_custom_status()
    {
        var jobs = Enumerable.Range(0, 50).Select(i => SyncedJob.From(Failed("something-new", "why")) with
        {
            JobId = new(i.ToString("D64", CultureInfo.InvariantCulture)),
            ConnectionId = new((100 + i).ToString("D64", CultureInfo.InvariantCulture)),
        });
        var progress = new SyncProgress(
            SyncState.Partial, [.. jobs], new AccountProgress(1_000, 1_000), 10_000_000, new SyncError("http-503", new string('e', 200)));

        var fitted = progress.ToFit();

        Assert.True(JsonSerializer.Serialize(fitted).Length <= SyncProgress.MostCharacters);
        Assert.Equal(progress.Jobs.Select(j => (j.JobId, j.Status, j.NextAction)), fitted.Jobs.Select(j => (j.JobId, j.Status, j.NextAction)));
    }

    [Fact]
    public void An_explanation_is_never_cut_through_a_character()
    {
        var detail = SyncedJob.From(Failed("x", new string('a', SyncedStep.MostDetailLength - 1) + "\U0001F600 and more")).Steps[1].Detail!;

        Assert.Equal(new string('a', SyncedStep.MostDetailLength - 1) + "…", detail);
    }

    [Fact]
    public void The_id_of_a_sync_follows_from_the_user_and_the_set_of_jobs()
    {
        var id = SyncIds.For(new("u"), [new("b"), new("a")]);

        Assert.Equal(id, SyncIds.For(new("u"), [new("a"), new("b"), new("a")]));
        Assert.NotEqual(id, SyncIds.For(new("v"), [new("a"), new("b")]));
        Assert.NotEqual(id, SyncIds.For(new("u"), [new("a")]));
        Assert.StartsWith(SyncIds.PrefixFor(new("u")), id, StringComparison.Ordinal);
        Assert.Matches("^[A-Za-z0-9_-]{1,64}$", id);
    }

    private static Job Failed(string? code, string title) => JsonSerializer.Deserialize<Job>(JsonSerializer.Serialize(new
    {
        id = "j",
        steps = new object[]
        {
            new { title = "verify-credentials", status = "success" },
            new { title = "retrieve-accounts", status = "failed", result = new { code, title, detail = "Gavin Belson must call the bank.", details = "Gavin Belson must call." } },
            new { status = "pending" },
        },
    }))!;
}
