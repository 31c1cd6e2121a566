using System.Net;
using System.Text;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>Stands for Basiq behind the client's pipeline: answers by script and remembers what it was sent.</summary>
internal sealed class StubBasiq : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly List<Received> _requests = [];

    /// <summary>Answers everything but server token requests; gets the request and how many such came before it.</summary>
    public Func<Received, int, CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } =
        (_, _, _) => throw new InvalidOperationException("No answer was scripted.");

    /// <summary>Answers requests for a server token; gets how many came before.</summary>
    public Func<Received, int, CancellationToken, Task<HttpResponseMessage>> Mint { get; set; } =
        (_, before, _) => Task.FromResult(Json(TokenJson($"server-token-{before + 1}")));

    public IReadOnlyList<Received> Calls => Snapshot(request => !request.IsMint);

    public IReadOnlyList<Received> Mints => Snapshot(request => request.IsMint);

    public void Script(params Func<HttpResponseMessage>[] answers) =>
        Answer = (_, before, _) => Task.FromResult(answers[Math.Min(before, answers.Length - 1)]());

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Error(HttpStatusCode status, string code, string detail = "What went wrong.") =>
        Json(
            $$$"""
            {"type":"list","correlationId":"corr-1","data":[{"type":"error","code":"{{{code}}}","title":"Title","detail":"{{{detail}}}",
            "source":{"parameter":"email","pointer":"/email"}}]}
            """,
            status);

    public static HttpResponseMessage RetryAfter(HttpResponseMessage response, string value)
    {
        response.Headers.TryAddWithoutValidation("Retry-After", value);
        return response;
    }

    public static string TokenJson(string token, int expiresIn = 3600) =>
        $$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":{{expiresIn}}}""";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var received = new Received(
            request.Method.Method,
            request.RequestUri!.PathAndQuery,
            request.Headers.TryGetValues("Authorization", out var values) ? string.Join(",", values) : null,
            request.Headers.TryGetValues("basiq-version", out var versions) ? string.Join(",", versions) : null,
            request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
        int before;
        lock (_gate)
        {
            before = _requests.Count(other => other.IsMint == received.IsMint);
            _requests.Add(received);
        }

        return await (received.IsMint ? Mint : Answer)(received, before, cancellationToken);
    }

    private List<Received> Snapshot(Func<Received, bool> which)
    {
        lock (_gate)
            return [.. _requests.Where(which)];
    }

    internal sealed record Received(string Method, string PathAndQuery, string? Authorization, string? Version, string Body)
    {
        public bool IsMint => PathAndQuery == "/token" && Body == "scope=SERVER_ACCESS";
    }
}
