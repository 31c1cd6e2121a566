using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Health;

/// <summary>
/// Asks every dependency how it does. Anybody may call Health, so however many do, each dependency is asked once in some seconds,
/// and none is waited for longer than two.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore hands out no wait handle, so there is nothing to dispose.")]
public sealed class HealthChecks(
    IServerTokenProvider tokens,
    SecretClient secrets,
    ISnapshotStorage snapshots,
    IHttpClientFactory httpClients,
    IOptions<BasiqOptions> basiq,
    TimeProvider clock,
    ILogger<HealthChecks> logger)
{
    /// <summary>Name of the HTTP client that asks whether Basiq is there: without token, without retries.</summary>
    internal const string HttpClientName = "basiq-health";

    /// <summary>How long a report is handed out again.</summary>
    internal static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    /// <summary>How long a dependency may take to answer.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>A blob that nobody writes: whether it exists is asked, and any answer will do.</summary>
    private const string ProbeBlob = "health";

    private readonly SemaphoreSlim _asking = new(1, 1);
    private volatile Held? _held;

    /// <summary>How everything does, at most some seconds ago.</summary>
    public async Task<HealthReport> ReportAsync(CancellationToken cancellation)
    {
        if (Fresh() is { } fresh)
            return fresh;
        await _asking.WaitAsync(cancellation);
        try
        {
            if (Fresh() is { } meanwhile)
                return meanwhile;

            // Others wait for this report too, so the caller who happened to start it cannot end it; Patience does.
            var report = await AskAsync();
            _held = new Held(report, clock.GetTimestamp());
            return report;
        }
        finally
        {
            _asking.Release();
        }
    }

    private HealthReport? Fresh() =>
        _held is { } held && clock.GetElapsedTime(held.AskedAt) < Freshness ? held.Report : null;

    private async Task<HealthReport> AskAsync()
    {
        var token = CheckAsync("server-token", TokenAsync);
        var vault = CheckAsync("key-vault", KeyVaultAsync);
        var store = CheckAsync("snapshots", SnapshotsAsync);
        var upstream = CheckAsync("basiq", BasiqAsync);
        var lines = await Task.WhenAll(token, vault, store, upstream);

        // While there is a token, the app works without Key Vault (DESIGN: Tokens).
        if (lines[0].Status is HealthStatus.Healthy && lines[1].Status is HealthStatus.Unhealthy)
            lines[1] = lines[1] with { Status = HealthStatus.Degraded };
        return HealthReport.Of(lines);
    }

    private async Task<HealthLine> CheckAsync(string name, Func<CancellationToken, Task<(HealthStatus Status, string? Detail)>> check)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            // A client that ignores the token does not hold the report up.
            var (status, detail) = await check(patience.Token).WaitAsync(patience.Token);
            return new HealthLine(name, status, detail);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return Unhealthy("timeout");
        }
        catch (BasiqException e)
        {
            return Unhealthy(e.Failure.Code);
        }
        catch (Exception e)
        {
            return Unhealthy(e is HttpRequestException ? "unreachable" : KeyVaultErrors.Code(e));
        }

        HealthLine Unhealthy(string code)
        {
            logger.CheckFailed(name, code);
            return new HealthLine(name, HealthStatus.Unhealthy, code);
        }
    }

    /// <summary>The token in memory costs nothing; without one the provider does what the next caller would need anyway.</summary>
    private async Task<(HealthStatus Status, string? Detail)> TokenAsync(CancellationToken cancellation)
    {
        if (tokens.GetHealth().IsApiKeyRefused && !await IsApiKeyTakenAgainAsync(cancellation))
            return (HealthStatus.Unhealthy, BasiqFailure.ApiKeyRefusedCode);
        var now = clock.GetUtcNow();
        if (tokens.GetHealth() is not { Age: { } age, ExpiresAt: { } expiresAt } || expiresAt <= now)
        {
            try
            {
                var token = await tokens.GetAsync(cancellation);
                (age, expiresAt) = (now - token.MintedAt, token.ExpiresAt);
            }
            catch (BasiqException) when (tokens.GetHealth().IsApiKeyRefused)
            {
                return (HealthStatus.Unhealthy, BasiqFailure.ApiKeyRefusedCode);
            }
        }

        // Clocks differ from one machine to the next: a token that another one minted may seem to be from the future.
        var seconds = Math.Max(0, (long)age.TotalSeconds);
        return (HealthStatus.Healthy, string.Create(CultureInfo.InvariantCulture, $"minted {seconds} s ago, expires {expiresAt:u}"));
    }

    /// <summary>
    /// A refused key spoils what is to come, not the token in memory: so nobody else may ask for one soon. This does, at the pace
    /// of the back-off, and a key that was replaced shows at once.
    /// </summary>
    private async Task<bool> IsApiKeyTakenAgainAsync(CancellationToken cancellation)
    {
        try
        {
            await tokens.RefreshAsync(cancellation);
            return true;
        }
        catch (BasiqException) when (tokens.GetHealth().IsApiKeyRefused)
        {
            return false;
        }
    }

    private async Task<(HealthStatus Status, string? Detail)> KeyVaultAsync(CancellationToken cancellation)
    {
        try
        {
            await secrets.GetSecretAsync(SecretNames.ConsentStateKey, cancellationToken: cancellation);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // Made on first use: Key Vault answers, and that was the question.
        }

        return tokens.GetHealth().KeyVaultError is { } error
            ? (HealthStatus.Degraded, $"the last attempt to read or store the token failed: {error}")
            : (HealthStatus.Healthy, null);
    }

    private async Task<(HealthStatus Status, string? Detail)> SnapshotsAsync(CancellationToken cancellation)
    {
        await snapshots.ExistsAsync(ProbeBlob, cancellation);
        return (HealthStatus.Healthy, null);
    }

    private async Task<(HealthStatus Status, string? Detail)> BasiqAsync(CancellationToken cancellation)
    {
        using var http = httpClients.CreateClient(HttpClientName);
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(basiq.Value.BaseUrl));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);

        // Without a token Basiq refuses: that is an answer.
        var status = (int)response.StatusCode;
        return status >= 500
            ? (HealthStatus.Unhealthy, string.Create(CultureInfo.InvariantCulture, $"http-{status}"))
            : (HealthStatus.Healthy, null);
    }

    private sealed record Held(HealthReport Report, long AskedAt);
}
