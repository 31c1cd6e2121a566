using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Webhooks;

/// <summary>
/// Sends messages to their subscribers, signed by the scheme of Standard Webhooks, and again while they do not arrive: after
/// 5 s, 5 and 30 minutes, 2, 5, 10 and 10 hours, times <see cref="SandboxOptions.WebhookRetryScale"/>. Then the subscription
/// is disabled. What is under way is in the state file, and goes on after a restart.
/// </summary>
internal sealed partial class WebhookDelivery : IHostedService, IDisposable
{
    public static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(10),
    ];

    private const int AtATime = 16;

    // The network's time, not the sandbox's: a test that moves its clock must not cut off what is on its way.
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    private readonly SandboxState _state;
    private readonly LiveOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookDelivery> _logger;
    private readonly DueTimes<string> _due;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = AnswerWithin };
    private readonly SemaphoreSlim _places = new(AtATime);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _underWay = new(StringComparer.Ordinal);
    private bool _disposed;

    public WebhookDelivery(SandboxState state, LiveOptions options, TimeProvider clock, ILogger<WebhookDelivery> logger)
    {
        (_state, _options, _clock, _logger) = (state, options, clock, logger);
        _due = new DueTimes<string>(clock, Start);
        options.Changed += AddAll;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        AddAll();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _due.Dispose();
        await _stopping.CancelAsync();
        Task[] tasks;
        lock (_gate)
            tasks = [.. _underWay.Values];
        await Task.WhenAll(tasks);
    }

    /// <summary>The container knows it as two services, and disposes it as each.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        _options.Changed -= AddAll;
        _due.Dispose();
        _stopping.Cancel();
        _http.Dispose();
        _places.Dispose();
        _stopping.Dispose();
    }

    public void Add(MessageRecord message)
    {
        if (message.Next is { } next)
            _due.Add(next, message.Id);
    }

    /// <summary>Takes up what waits: after a start, and when sending was allowed again.</summary>
    public void AddAll()
    {
        foreach (var message in _state.Notifications.Messages())
            Add(message);
    }

    /// <summary>The body of a message: ids and links, the same at each attempt.</summary>
    public static byte[] Body(MessageRecord message, WebhookRecord webhook)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body, Answers.WriterOptions))
            WritePayload(writer, message, webhook.BaseUrl);
        return body.ToArray();
    }

    public static void WritePayload(Utf8JsonWriter writer, MessageRecord message, string baseUrl)
    {
        writer.WriteStartObject();
        writer.WriteString("eventTypeId"u8, message.TypeId);
        writer.WriteString("eventId"u8, message.EventId);
        if (message.Text is not null)
            writer.WriteString("text"u8, message.Text);
        writer.WriteStartObject("links"u8);
        writer.WriteString("event"u8, $"{baseUrl}/events/{message.EventId}");
        writer.WriteString("eventEntity"u8, baseUrl + message.Path);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The value of <c>webhook-signature</c>: HMAC-SHA256 over id, time and body, as Standard Webhooks has it.</summary>
    public static string Sign(string secret, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(
            HashAlgorithmName.SHA256, Convert.FromBase64String(secret[WebhookEndpoints.SecretPrefix.Length..]));
        hash.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }

    private void Start(string id)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested || _underWay.ContainsKey(id))
                return;
            _underWay[id] = Task.Run(() => DeliverAsync(id));
        }
    }

    private async Task DeliverAsync(string id)
    {
        var tried = false;
        try
        {
            await _places.WaitAsync(_stopping.Token);
            try
            {
                tried = await AttemptAsync(id);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The state file knows the message: it is sent after the next start.
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            NotRecorded(_logger, id, exception);
        }
        finally
        {
            lock (_gate)
                _underWay.Remove(id);
        }

        if (tried && _state.Notifications.Message(id) is { } message)
            Add(message);
    }

    private async Task<bool> AttemptAsync(string id)
    {
        var notifications = _state.Notifications;
        if (notifications.Message(id) is not { Next: { } next } message
            || next > _clock.GetUtcNow()
            || !_options.Current.Webhooks
            || notifications.Webhook(message.WebhookId) is not { Disabled: false } webhook)
        {
            return false;
        }

        var attempt = await SendAsync(message, webhook);
        lock (notifications.Gate)
        {
            if (notifications.Message(id) is null)
                return false;
            var count = message.Attempts.Length;
            var isLast = !attempt.Succeeded && count >= Waits.Length;
            message = message with
            {
                Attempts = [.. message.Attempts, attempt],
                Next = attempt.Succeeded || isLast ? null : attempt.At + (Waits[count] * _options.Current.WebhookRetryScale),
            };
            var disabled = isLast && notifications.Webhook(webhook.Id) is { } current && current.Url == webhook.Url
                ? current with { Disabled = true }
                : null;
            _state.Record(new StateLine { Messages = [message], Webhook = disabled });
        }

        return true;
    }

    private async Task<AttemptRecord> SendAsync(MessageRecord message, WebhookRecord webhook)
    {
        var now = _clock.GetUtcNow();
        var body = Body(message, webhook);
        var timestamp = now.ToUnixTimeSeconds().ToString("D", null);
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", message.Id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", Sign(webhook.Secret, message.Id, timestamp, body));
        var id = RandomNumberGenerator.GetHexString(12, lowercase: true);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stopping.Token);
            return new AttemptRecord(id, now, webhook.Url, (int)response.StatusCode, response.ReasonPhrase ?? "");
        }
        catch (HttpRequestException exception)
        {
            return new AttemptRecord(id, now, webhook.Url, null, exception.HttpRequestError.ToString());
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            return new AttemptRecord(id, now, webhook.Url, null, "Timeout");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "What came of the message {MessageId} could not be recorded.")]
    private static partial void NotRecorded(ILogger logger, string messageId, Exception exception);
}
