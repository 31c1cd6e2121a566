using System.Text;
using System.Text.Json;
using BasiqFunctions.Platform;
using BasiqFunctions.Reports;

namespace BasiqFunctions.Tests.Reports;

/// <summary>A report in short: what Basiq says by ids, known here or not.</summary>
[Trait("Category", "Unit")]
public sealed class ReportSummaryTests
{
    [Fact]
    public void Metrics_groups_and_flags_that_nobody_here_knows_are_passed_on_under_their_ids()
    {
        var summary = Of("""
            {"reportType":"BUS_AFFOR_09","data":{
              "metrics":[
                {"id":"ME999","title":"Of later","sections":["Somewhere"],"result":{"value":"12.5","format":"bananas"}},
                {"id":"ME998","sections":["Risk Flags"],"title":"A later flag","result":{"value":"true","format":"boolean"}},
                {"id":"ME997","sections":["Risk Flags"],"title":"Not raised","result":{"value":"false","format":"boolean"}},
                {"id":"ME996","sections":["Risk Flags"],"title":"Raised as JSON","result":{"value":true,"format":"boolean"}},
                {"id":"ME995","title":"A number","result":{"value":7.50,"format":"money"}},
                {"id":"ME999","title":"Once more","result":{"value":"1","format":"integer"}}],
              "groups":[{"id":"XXX-001","title":"Of later","sections":["Somewhere","Else"],
                "analysis":{"summary":{"transactionCount":3},"amount":{"total":"-30.00","average":{"month":"-2.50"}}}}]}}
            """);

        Assert.Equal("BUS_AFFOR_09", summary.GetProperty("reportType").GetString());
        var metrics = summary.GetProperty("metrics");
        Assert.Equal("""{"value":"12.5","unit":"bananas","title":"Of later"}""", metrics.GetProperty("ME999").GetRawText());
        Assert.Equal("""{"value":"7.50","unit":"money","title":"A number"}""", metrics.GetProperty("ME995").GetRawText());
        Assert.Equal("true", metrics.GetProperty("ME996").GetProperty("value").GetString());
        Assert.Equal(5, metrics.EnumerateObject().Count());
        Assert.Equal(
            """[{"id":"XXX-001","title":"Of later","sections":["Somewhere","Else"],"total":"-30.00","month":"-2.50","transactions":3}]""",
            summary.GetProperty("groups").GetRawText());
        Assert.Equal("""[{"id":"ME998","title":"A later flag"},{"id":"ME996","title":"Raised as JSON"}]""", summary.GetProperty("riskFlags").GetRawText());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"data":null}""")]
    [InlineData("""{"data":{"metrics":{},"groups":"none"}}""")]
    [InlineData("""{"data":{"metrics":[null,1,{"title":"without an id"}],"groups":[{"id":null},[]]}}""")]
    public void What_is_missing_or_odd_is_left_out(string report)
    {
        var summary = Of(report);

        Assert.Empty(summary.GetProperty("metrics").EnumerateObject());
        Assert.Empty(summary.GetProperty("groups").EnumerateArray());
        Assert.Empty(summary.GetProperty("riskFlags").EnumerateArray());
    }

    private static JsonElement Of(string report) =>
        JsonSerializer.SerializeToElement(ReportSummary.Of(new("r"), Encoding.UTF8.GetBytes(report)), AppJson.Of<ReportSummary>());
}
