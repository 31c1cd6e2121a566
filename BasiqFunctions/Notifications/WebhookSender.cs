using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Vault;

namespace BasiqFunctions.Notifications;

/// <summary>Sends to the URLs of subscriptions, signed as Standard Webhooks are.</summary>
internal sealed class WebhookSender(
    IHttpClientFactory clients, NotificationSubscriptions subscriptions, NotificationSecrets secrets, TimeProvider clock) : INotificationSender
{
    /// <summary>The name of its HTTP client.</summary>
    internal const string HttpClientName = "notifications";

    /// <summary>How long a receiver may take.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection is used: a name may mean another address after that.</summary>
    private static readonly TimeSpan LifetimeOfConnections = TimeSpan.FromMinutes(2);

    public bool Serves(string receiver) => RouteId.IsValid(receiver);

    public async Task<SendResult> SendAsync(string receiver, NotificationMessage message, CancellationToken cancellation)
    {
        if (await subscriptions.FindUrlAsync(receiver, cancellation) is not { } url)
            return new SendResult("unsubscribed", IsDelivered: false) { IsGone = true };
        IReadOnlyList<byte[]> keys;
        try
        {
            keys = await secrets.GetKeysAsync(receiver, cancellation);
        }
        catch (Exception exception) when (KeyVaultErrors.IsAway(exception) && !cancellation.IsCancellationRequested)
        {
            keys = [];
        }

        if (keys.Count == 0)
            return new SendResult("no-secret", IsDelivered: false);
        var body = message.ToJson();
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.Add(StandardWebhooks.IdHeader, message.Id);
        request.Headers.Add(StandardWebhooks.TimestampHeader, timestamp);
        request.Headers.Add(StandardWebhooks.SignatureHeader, string.Join(' ', keys.Select(key => StandardWebhooks.Sign(message.Id, timestamp, body, key))));
        try
        {
            using var answer = await clients.CreateClient(HttpClientName).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            return answer.IsSuccessStatusCode
                ? new SendResult(SendResult.Delivered, IsDelivered: true)
                : new SendResult(string.Create(CultureInfo.InvariantCulture, $"http-{(int)answer.StatusCode}"), IsDelivered: false)
                {
                    GoneFrom = answer.StatusCode is HttpStatusCode.Gone ? url : null,
                    RetryAfter = RetryAfterOf(answer),
                };
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new SendResult(SendResult.Timeout, IsDelivered: false);
        }
        catch (HttpRequestException exception)
        {
            return new SendResult(CodeOf(exception), IsDelivered: false);
        }
    }

    /// <summary>
    /// What connects to receivers: to no address but one that has been looked at, through no proxy, following nothing, and with nothing of
    /// ours but the message. Of an answer's body no more is read than it takes to use the connection again.
    /// </summary>
    internal static SocketsHttpHandler Connections(ReceiverAddresses addresses) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        Credentials = null,
        ActivityHeadersPropagator = null,
        ConnectCallback = addresses.ConnectAsync,
        ConnectTimeout = Patience,
        MaxResponseDrainSize = 1024,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = LifetimeOfConnections,
    };

    private static string CodeOf(HttpRequestException exception) => exception switch
    {
        { InnerException: AddressNotAllowedException } => "address-not-allowed",
        { InnerException: AuthenticationException } or { HttpRequestError: HttpRequestError.SecureConnectionError } => "tls-failed",
        { HttpRequestError: HttpRequestError.NameResolutionError } => "name-not-resolved",
        { HttpRequestError: HttpRequestError.ConnectionError } => "connection-failed",
        _ => "answer-unusable",
    };

    private TimeSpan? RetryAfterOf(HttpResponseMessage answer) => answer.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } date } => date - clock.GetUtcNow(),
        _ => null,
    };
}
