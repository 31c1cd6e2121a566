using System.Globalization;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Health;

/// <summary>
/// Asks everything that requests need how it does. Anybody may call Health, so however many do, each dependency is asked once in some
/// seconds, and none is waited for longer than two.
/// </summary>
public sealed class HealthChecks
{
    /// <summary>Name of the HTTP client that asks whether Basiq is there: without token, without retries.</summary>
    internal const string HttpClientName = "basiq-health";

    /// <summary>The name of what is written to see whether writing works; of the task hub it is asked alone.</summary>
    private const string Probe = "health";

    private readonly IServerTokenProvider _tokens;
    private readonly SecretClient _secrets;
    private readonly ISnapshotStorage _snapshots;
    private readonly RecordTableList _tables;
    private readonly IHttpClientFactory _httpClients;
    private readonly BasiqOptions _basiq;
    private readonly TimeProvider _clock;
    private readonly DependencyCheck _token;
    private readonly DependencyCheck _keyVault;
    private readonly DependencyCheck[] _others;

    /// <summary>Takes the dependencies; the container makes it.</summary>
    public HealthChecks(
        IServerTokenProvider tokens,
        SecretClient secrets,
        ISnapshotStorage snapshots,
        RecordTableList tables,
        IHttpClientFactory httpClients,
        IOptions<BasiqOptions> basiq,
        Uptime uptime,
        TimeProvider clock,
        ILogger<HealthChecks> logger)
    {
        ArgumentNullException.ThrowIfNull(basiq);
        (_tokens, _secrets, _snapshots, _tables) = (tokens, secrets, snapshots, tables);
        (_httpClients, _basiq, _clock) = (httpClients, basiq.Value, clock);
        _token = Check("server-token", (_, cancellation) => TokenAsync(cancellation));
        _keyVault = Check("key-vault", (_, cancellation) => KeyVaultAsync(cancellation));
        _others =
        [
            Check("snapshots", (_, cancellation) => SnapshotsAsync(cancellation)),
            Check("records", (_, cancellation) => RecordsAsync(cancellation)),
            Check("task-hub", TaskHubAsync),
            Check("basiq", (_, cancellation) => BasiqAsync(cancellation)),
        ];

        DependencyCheck Check(string name, DependencyQuestion ask) => new(name, ask, uptime, clock, logger);
    }

    /// <summary>How everything does, each at most some seconds ago.</summary>
    /// <param name="durable">The durable client of the calling function.</param>
    /// <param name="cancellation">Ends the wait; others wait for the same answers.</param>
    public async Task<HealthReport> ReportAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        var token = _token.AskAsync(durable);
        var keyVault = _keyVault.AskAsync(durable);
        var lines = await Task.WhenAll([token, keyVault, .. _others.Select(check => check.AskAsync(durable))]).WaitAsync(cancellation);

        // While there is a token, the app works without Key Vault.
        if (lines[0].Status is HealthStatus.Healthy && lines[1].Status is HealthStatus.Unhealthy)
            lines[1] = lines[1] with { Status = HealthStatus.Degraded };
        return HealthReport.Of(lines);
    }

    /// <summary>The token in memory costs nothing; without one the provider does what the next caller would need anyway.</summary>
    private async Task<(HealthStatus Status, string? Detail)> TokenAsync(CancellationToken cancellation)
    {
        if (_tokens.GetHealth().IsApiKeyRefused && !await IsApiKeyTakenAgainAsync(cancellation))
            return (HealthStatus.Unhealthy, BasiqFailure.ApiKeyRefusedCode);
        var now = _clock.GetUtcNow();
        if (_tokens.GetHealth() is not { Age: { } age, ExpiresAt: { } expiresAt } || expiresAt <= now)
        {
            try
            {
                var token = await _tokens.GetAsync(cancellation);
                (age, expiresAt) = (now - token.MintedAt, token.ExpiresAt);
            }
            catch (BasiqException) when (_tokens.GetHealth().IsApiKeyRefused)
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
            await _tokens.RefreshAsync(cancellation);
            return true;
        }
        catch (BasiqException) when (_tokens.GetHealth().IsApiKeyRefused)
        {
            return false;
        }
    }

    private async Task<(HealthStatus Status, string? Detail)> KeyVaultAsync(CancellationToken cancellation)
    {
        try
        {
            await _secrets.GetSecretAsync(SecretNames.ConsentStateKey, cancellationToken: cancellation);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // Made on first use: Key Vault answers, and that was the question.
        }

        return _tokens.GetHealth().KeyVaultError is { } error
            ? (HealthStatus.Degraded, $"the last attempt to read or store the token failed: {error}")
            : (HealthStatus.Healthy, null);
    }

    private async Task<(HealthStatus Status, string? Detail)> SnapshotsAsync(CancellationToken cancellation)
    {
        // Requests write as well, and what can be read may still take no writes: a full disk, a role that only reads.
        var held = await _snapshots.ReadAsync(Probe, cancellation);
        if (await _snapshots.TryPutAsync(Probe, ReadOnlyMemory<byte>.Empty, held?.ETag, cancellation) is { } etag)
            await _snapshots.TryDeleteAsync(Probe, etag, cancellation);
        return (HealthStatus.Healthy, null);
    }

    private async Task<(HealthStatus Status, string? Detail)> RecordsAsync(CancellationToken cancellation)
    {
        await Task.WhenAll(_tables.All.Select(table => table.Table.PutAsync(new TableRecord(Probe, Probe, []), cancellation)));
        return (HealthStatus.Healthy, null);
    }

    private static async Task<(HealthStatus Status, string? Detail)> TaskHubAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        await durable.GetInstanceAsync(Probe, cancellation);
        return (HealthStatus.Healthy, null);
    }

    private async Task<(HealthStatus Status, string? Detail)> BasiqAsync(CancellationToken cancellation)
    {
        using var http = _httpClients.CreateClient(HttpClientName);
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(_basiq.BaseUrl));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);

        // Without a token Basiq refuses: that is an answer.
        var status = (int)response.StatusCode;
        return status >= 500
            ? (HealthStatus.Unhealthy, string.Create(CultureInfo.InvariantCulture, $"http-{status}"))
            : (HealthStatus.Healthy, null);
    }
}
