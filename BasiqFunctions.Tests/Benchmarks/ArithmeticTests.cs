using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using BasiqFunctions.Benchmarks;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Load;
using BasiqFunctions.Benchmarks.Parts;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Tests.Benchmarks;

/// <summary>What the benchmarks compute from what they measure; nothing here is timed.</summary>
[Trait("Category", "Unit")]
public sealed class ArithmeticTests
{
    [Theory]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 3.0 }, 2.5)]
    [InlineData(new[] { 7.0 }, 7.0)]
    public void The_median_is_the_middle(double[] values, double median) => Assert.Equal(median, Statistics.Median(values));

    [Fact]
    public void There_is_no_median_of_nothing() => Assert.Throws<ArgumentException>(() => Statistics.Median());

    [Fact]
    public void Percentiles_are_right_within_their_buckets()
    {
        var histogram = new LatencyHistogram();
        for (var microseconds = 1; microseconds <= 1_000; microseconds++)
            histogram.Add(microseconds * 1_000L);

        Assert.Equal(1_000, histogram.Count);
        Assert.InRange(histogram.Percentile(0.5), 0.5, 0.5 * 1.04);
        Assert.InRange(histogram.Percentile(0.99), 0.99, 0.99 * 1.04);
        Assert.Equal(0, new LatencyHistogram().Percentile(0.5));
    }

    [Theory]
    [InlineData(1, 3, 1_000, 500, 8)]
    [InlineData(500, 3, 1_000, 500, 4_000)]
    [InlineData(1, 1, 1_001, 500, 5)]
    [InlineData(2, 1, 0, 500, 6)]
    public void The_least_requests_are_jobs_accounts_and_pages(int syncs, int accounts, int transactions, int pageSize, long least) =>
        Assert.Equal(least, LeastRequests.Of(syncs, accounts, transactions, pageSize));

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 40)]
    [InlineData("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 201, 64)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, 27)]
    public void The_end_of_an_answer_is_found(string answer, int status, int length)
    {
        var bytes = Encoding.ASCII.GetBytes(answer);

        Assert.True(HttpAnswer.TryRead(bytes, out var readStatus, out var readLength));
        Assert.Equal((status, length), (readStatus, readLength));
        Assert.All(Enumerable.Range(0, bytes.Length), cut => Assert.False(HttpAnswer.TryRead(bytes.AsSpan(0, cut), out _, out _)));
    }

    [Fact]
    public void Half_a_goal_is_wide_on_the_side_that_matters()
    {
        Assert.True(new Goal("ratio", 0.4, 0.8, IsLeast: true).Halved.IsMet);
        Assert.False(new Goal("ratio", 0.39, 0.8, IsLeast: true).Halved.IsMet);
        Assert.True(new Goal("start", 3.0, 1.5, IsLeast: false).Halved.IsMet);
        Assert.False(new Goal("start", 3.1, 1.5, IsLeast: false).Halved.IsMet);
    }

    [Fact]
    public void A_missed_goal_is_seen_in_the_report()
    {
        var text = Markdown.Of([new Goal("ratio", 0.5, 0.8, IsLeast: true)]);

        Assert.Contains("| ratio | 0.5 | at least 0.8 | **missed** |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_is_JSON_with_its_machine_and_goals()
    {
        var report = new BenchmarkReport(
            DateTimeOffset.UnixEpoch, "start", new Machine("cpu", 2, 24, "os", "net"),
            [new PartReport("start", "how", [new Table("t", "l", [new("c")], [new Row("r", 1.5)])], [new Goal("ratio", 1, 2, IsLeast: false)])]);

        var json = JsonSerializer.SerializeToElement(report, ReportJson.Default.BenchmarkReport);

        Assert.Equal(2, json.GetProperty("machine").GetProperty("cores").GetInt32());
        Assert.True(json.GetProperty("parts")[0].GetProperty("goals")[0].GetProperty("isMet").GetBoolean());
        Assert.Equal(1.5, json.GetProperty("parts")[0].GetProperty("tables")[0].GetProperty("rows")[0].GetProperty("values")[0].GetDouble());
    }

    [Fact]
    public void The_plot_is_well_formed_and_level_where_the_cost_is()
    {
        var svg = XDocument.Parse(Plot.Of("Cost & size", "size", "ms", ("us", [(10, 5), (1_000, 5)]), ("them", [(10, 1), (1_000, 100)])));

        var lines = svg.Descendants().Where(e => e.Name.LocalName == "polyline").Select(e => e.Attribute("points")!.Value.Split(' ')).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.Equal(lines[0][0].Split(',')[1], lines[0][1].Split(',')[1]);
        Assert.NotEqual(lines[1][0].Split(',')[1], lines[1][1].Split(',')[1]);
        Assert.Throws<ArgumentException>(() => Plot.Of("t", "x", "y", ("none", [(0, 1)])));
    }

    [Fact]
    public void Told_of_the_end_a_sync_notices_at_once_and_else_within_the_longest_wait()
    {
        var duration = TimeSpan.FromSeconds(61.3);

        var (late, polls) = Detection.Simulate(duration, isTold: false);
        var (toldLate, toldPolls) = Detection.Simulate(duration, isTold: true);

        Assert.InRange(late, 0.001, 30);
        Assert.Equal(0, toldLate);
        Assert.InRange(polls, 5, 10);
        Assert.Equal(polls, toldPolls);
    }

    [Fact]
    public void Arguments_that_are_not_understood_are_named()
    {
        var refusal = Assert.Throws<ArgumentException>(() => BenchmarkOptions.Parse(["fast"], ["start"], ["start"]));

        Assert.Contains("'fast'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["start"], BenchmarkOptions.Parse(["--check"], ["start", "other"], ["start"]).Parts);
        Assert.Equal(["start", "other"], BenchmarkOptions.Parse([], ["start", "other"], ["start"]).Parts);
    }
}
