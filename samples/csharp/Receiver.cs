using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

namespace KeepInStep;

/// <summary>
/// Receives the app's notifications and wakes whoever follows the user that one is about. Nothing is lost with one that goes astray: followers
/// look now and then anyway. So a message that comes twice needs no memory either.
/// </summary>
internal static class Receiver
{
    private const int LongestBody = 64 * 1024;

    public static WebApplication Create(Uri url, string secret, IReadOnlyDictionary<string, Follower> followers)
    {
        var webhook = new StandardWebhook(secret);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls(url.GetLeftPart(UriPartial.Authority)).ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = LongestBody);
        var receiver = builder.Build();
        receiver.MapPost(url.AbsolutePath, async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            var body = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
            try
            {
                webhook.Verify(body, request.Headers);
            }
            catch (WebhookVerificationException)
            {
                return Results.Unauthorized();
            }

            if (followers.GetValueOrDefault(UserOf(body)) is { } follower)
                follower.Wake();
            return Results.NoContent();
        });
        return receiver;
    }

    private static string UserOf(string body) =>
        JsonElement.Parse(body).GetProperty("data").GetProperty("userId").GetString()!;
}
