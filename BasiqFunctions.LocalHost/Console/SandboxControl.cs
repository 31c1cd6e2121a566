using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>
/// Reads and turns the sandbox's knobs for the console, whose page may ask no other origin. It passes on the knobs that the console
/// has, and nothing else of what the sandbox could be told.
/// </summary>
internal sealed class SandboxControl(Uri sandbox) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false })
    {
        BaseAddress = new Uri(sandbox, "_sandbox/options"),
        Timeout = TimeSpan.FromSeconds(5),
    };

    public void Dispose() => _http.Dispose();

    /// <summary>The knobs as they stand.</summary>
    public async Task<SandboxKnobs> ReadAsync(CancellationToken cancellation) =>
        From(await _http.GetFromJsonAsync<JsonObject>((Uri?)null, cancellation));

    /// <summary>Turns the given knobs, and returns all as they stand then; what the sandbox refuses comes back as a problem.</summary>
    public async Task<(SandboxKnobs? Knobs, ProblemResult? Refusal)> ChangeAsync(SandboxKnobs knobs, CancellationToken cancellation)
    {
        if (knobs.Check() is { Count: > 0 } errors)
            return (null, Problem.InvalidInput(errors));
        using var content = JsonContent.Create(ToOptions(knobs));
        using var answer = await _http.PatchAsync((Uri?)null, content, cancellation);
        if (answer.StatusCode == HttpStatusCode.BadRequest)
            return (null, Problem.InvalidInput("shareOf429", "and the other shares must make at most 1 together."));
        answer.EnsureSuccessStatusCode();
        return (From(await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation)), null);
    }

    private static JsonObject ToOptions(SandboxKnobs knobs)
    {
        var options = new JsonObject();
        Set("latency", Span(knobs.LatencyMilliseconds / 1000));
        Set("shareOf429", knobs.ShareOf429);
        Set("shareOf500", knobs.ShareOf500);
        Set("shareOfTruncatedBodies", knobs.ShareOfTruncatedBodies);
        Set("jobDuration", Span(knobs.JobSeconds));
        Set("jobsNeverEnd", knobs.JobsNeverEnd);
        return options;

        void Set(string name, JsonNode? value)
        {
            if (value is not null)
                options[name] = value;
        }

        static string? Span(double? seconds) =>
            seconds is { } given ? TimeSpan.FromSeconds(given).ToString("c", CultureInfo.InvariantCulture) : null;
    }

    private static SandboxKnobs From(JsonObject? options)
    {
        return new SandboxKnobs(
            Span("latency")?.TotalMilliseconds,
            options?["shareOf429"]?.GetValue<double>(),
            options?["shareOf500"]?.GetValue<double>(),
            options?["shareOfTruncatedBodies"]?.GetValue<double>(),
            Span("jobDuration")?.TotalSeconds,
            options?["jobsNeverEnd"]?.GetValue<bool>());

        TimeSpan? Span(string name) =>
            options?[name]?.GetValue<string>() is { } text ? TimeSpan.Parse(text, CultureInfo.InvariantCulture) : null;
    }
}
