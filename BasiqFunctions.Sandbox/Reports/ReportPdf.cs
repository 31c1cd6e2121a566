using System.Text.Json;
using PdfSharp.Drawing;
using PdfSharp.Fonts;
using PdfSharp.Pdf;
using PdfSharp.Snippets.Font;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>A report on a few pages: what its JSON says, line by line.</summary>
internal static class ReportPdf
{
    private const double Margin = 50;
    private const double LineHeight = 15;

    static ReportPdf()
    {
        // A font that comes with the package: which others a machine has makes no difference.
        GlobalFontSettings.FontResolver ??= new FailsafeFontResolver();
    }

    /// <summary>Makes the PDF of a report's JSON and its transactions.</summary>
    public static byte[] Make(string report, string transactions)
    {
        using var document = new PdfDocument();
        var (heading, text) = (new XFont("Arial", 16), new XFont("Arial", 9));
        XGraphics? page = null;
        var y = 0.0;
        foreach (var (line, isHeading) in Lines(JsonElement.Parse(report), JsonElement.Parse(transactions)))
        {
            if (page is null || y > page.PageSize.Height - Margin)
            {
                page?.Dispose();
                page = XGraphics.FromPdfPage(document.AddPage());
                y = Margin;
            }

            page.DrawString(line, isHeading ? heading : text, XBrushes.Black, new XPoint(Margin, y));
            y += isHeading ? 2 * LineHeight : LineHeight;
        }

        page?.Dispose();
        using var bytes = new MemoryStream();
        document.Save(bytes);
        return bytes.ToArray();
    }

    private static IEnumerable<(string Line, bool IsHeading)> Lines(JsonElement report, JsonElement transactions)
    {
        yield return (report.GetProperty("title").GetString()!, true);
        yield return ($"Report {report.GetProperty("id").GetString()} of {report.GetProperty("createdDate").GetString()}", false);
        var data = report.GetProperty("data");
        if (data.TryGetProperty("identity", out var identity))
        {
            var address = identity.GetProperty("physicalAddresses")[0];
            yield return (identity.GetProperty("fullName").GetString()!, false);
            yield return (string.Join(", ", ((string[])["addressLine1", "city", "state", "postCode"]).Select(part => address.GetProperty(part).GetString())), false);
        }

        foreach (var account in data.GetProperty(data.TryGetProperty("account", out _) ? "account" : "accounts").EnumerateArray())
            yield return ($"{account.GetProperty("name").GetString()}, {account.GetProperty("accountHolder").GetString()}: {account.GetProperty("balance").GetString()}", false);
        if (data.TryGetProperty("metrics", out var metrics))
        {
            foreach (var metric in metrics.EnumerateArray())
                yield return ($"{metric.GetProperty("title").GetString()}: {metric.GetProperty("result").GetProperty("value").GetString()}", false);
            foreach (var group in data.GetProperty("groups").EnumerateArray())
            {
                var amount = group.GetProperty("analysis").GetProperty("amount");
                yield return ($"{group.GetProperty("title").GetString()}: {amount.GetProperty("total").GetString()}, {amount.GetProperty("average").GetProperty("month").GetString()} a month", false);
            }

            yield break;
        }

        foreach (var transaction in transactions.GetProperty("data").EnumerateArray())
            yield return ($"{transaction.GetProperty("postDate").GetString()![..10]}  {transaction.GetProperty("description").GetString()}  {transaction.GetProperty("amount").GetString()}", false);
    }
}
