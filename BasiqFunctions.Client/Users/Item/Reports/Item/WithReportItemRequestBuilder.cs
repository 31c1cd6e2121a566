using BasiqFunctions.Client.Models;

namespace BasiqFunctions.Client.Users.Item.Reports.Item;

/// <content>The report as a file.</content>
public partial class WithReportItemRequestBuilder
{
    /// <summary>The report as PDF; ask once the report is ready.</summary>
    /// <exception cref="Problem"><c>report-failed</c>, <c>report-not-found</c>.</exception>
    public Task<Stream?> GetPdfAsync(CancellationToken cancellationToken = default)
    {
        var request = ToGetRequestInformation();
        request.Headers.Clear();
        request.Headers.Add("Accept", "application/pdf");
        return RequestAdapter.SendPrimitiveAsync<Stream>(request, new() { ["XXX"] = Problem.CreateFromDiscriminatorValue }, cancellationToken);
    }
}
