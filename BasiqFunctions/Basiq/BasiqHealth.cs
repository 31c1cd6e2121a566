using System.Globalization;
using BasiqFunctions.Platform.Health;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

/// <summary>Whether Basiq is there, asked without a token and without retries.</summary>
internal sealed class BasiqHealth(IHttpClientFactory httpClients, IOptions<BasiqOptions> options) : IDependency
{
    /// <summary>Name of the HTTP client that asks.</summary>
    internal const string HttpClientName = "basiq-health";

    public string Name => "basiq";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        using var http = httpClients.CreateClient(HttpClientName);
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(options.Value.BaseUrl));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);

        // Without a token Basiq refuses: that is an answer.
        var status = (int)response.StatusCode;
        return status >= 500
            ? (HealthStatus.Unhealthy, string.Create(CultureInfo.InvariantCulture, $"http-{status}"))
            : (HealthStatus.Healthy, null);
    }
}
