using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>Sends webhooks to an app as Basiq does, or as somebody would who is not Basiq.</summary>
internal static class Webhooks
{
    private const string SecretName = "basiq-webhook-secret";

    /// <summary>Has the sandbox send its webhooks to the app.</summary>
    public static async Task SubscribeAsync(this AppUnderTest app)
    {
        using var answer = await app.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url = new Uri(app.Api.BaseAddress!, "webhooks/basiq") });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("whsec", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>
    /// Sends a message, signed with the app's own secret unless another is given, and sends it again, as Basiq does, when a busy machine has not
    /// taken it in time.
    /// </summary>
    public static async Task<HttpResponseMessage> SendWebhookAsync(this AppUnderTest app, string id, string body, string? secret = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await SendOnceAsync(app, id, body, secret);
            if (answer.StatusCode is not HttpStatusCode.ServiceUnavailable || attempt == 20)
                return answer;
            answer.Dispose();
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }
    }

    private static async Task<HttpResponseMessage> SendOnceAsync(AppUnderTest app, string id, string body, string? secret)
    {
        secret ??= (await app.Services.GetRequiredService<SecretClient>().GetSecretAsync(SecretName)).Value.Value;
        var at = (app.Services.GetService<TimeProvider>() ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("webhooks/basiq", UriKind.Relative))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", at);
        request.Headers.Add("webhook-signature", Sign(secret, id, at, body));
        return await app.Api.SendAsync(request);
    }

    /// <summary>The signature of a message; the secret is decoded as Node does it, with or without padding, in either alphabet.</summary>
    public static string Sign(string secret, string id, string timestamp, string body)
    {
        var text = secret.StartsWith("whsec_", StringComparison.Ordinal) ? secret["whsec_".Length..] : secret;
        var key = Base64Url.DecodeFromChars(text.TrimEnd('=').Replace('+', '-').Replace('/', '_'));
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));
    }
}
