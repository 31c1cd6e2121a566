using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>The libraries that receivers use verify what is sent: <c>standardwebhooks</c> and <c>svix</c>, from npm, pinned.</summary>
[Trait("Category", "Journeys")]
public sealed class SignatureLibrariesTests
{
    private const string Script = """
        const { folders, secrets, messages } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        const { Webhook } = require(folders[0]);
        const svix = require(folders[1]);
        const result = [];
        for (const [library, make] of [['standardwebhooks', s => new Webhook(s)], ['svix', s => new svix.Webhook(s)]])
          for (const secret of secrets)
            for (const { body, headers } of messages) {
              try { make(secret).verify(body, headers); result.push(library + ' yes'); } catch (e) { result.push(library + ' ' + e.message); }
            }
        console.log(JSON.stringify(result));
        """;

    [SkippableFact]
    public async Task Both_verify_each_message_with_the_secret_before_a_rotation_and_after_it_and_with_no_other()
    {
        string[] folders;
        try
        {
            folders = [await NpmPackage.InstallAsync("standardwebhooks", "1.1.1"), await NpmPackage.InstallAsync("svix", "2.5.0")];
        }
        catch (Exception e) when (e is Win32Exception or NpmException or TimeoutException)
        {
            throw new SkipException($"No Node here: {e.Message}");
        }

        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        var first = await SetAsync(app, new { url = receiver.Url });
        await TryAsync(app);
        var second = await SetAsync(app, new { url = receiver.Url, rotateSecret = true });
        await TryAsync(app);
        var messages = receiver.Taken.Select(message => new
        {
            body = message.Body,
            headers = new Dictionary<string, string>
            {
                ["webhook-id"] = message.Id,
                ["webhook-timestamp"] = message.Timestamp,
                ["webhook-signature"] = message.Signatures,
            },
        }).ToArray();
        Assert.Equal(2, messages.Length);

        var beforeAndSince = await VerifyAsync(folders, [first], messages);
        Assert.Equal(["standardwebhooks yes", "standardwebhooks yes", "svix yes", "svix yes"], beforeAndSince);
        var since = await VerifyAsync(folders, [second], [messages[1]]);
        Assert.Equal(["standardwebhooks yes", "svix yes"], since);
        var other = await VerifyAsync(folders, ["whsec_" + Convert.ToBase64String(new byte[32])], messages);
        Assert.All(other, line => Assert.DoesNotContain("yes", line, StringComparison.Ordinal));
    }

    private static async Task<string> SetAsync(AppUnderTest app, object request)
    {
        using var set = await app.Api.PutAsJsonAsync("notifications/subscription", request);
        return (await AppUnderTest.ReadAsync(set)).GetProperty("secret").GetString()!;
    }

    private static async Task TryAsync(AppUnderTest app)
    {
        using var tried = await app.Api.PostAsync(new Uri("notifications/test", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, tried.StatusCode);
    }

    private static async Task<string[]> VerifyAsync(string[] folders, string[] secrets, object[] messages)
    {
        var info = new ProcessStartInfo("node", ["-e", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var node = Process.Start(info)!;
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new { folders, secrets, messages }));
        node.StandardInput.Close();
        var said = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        return JsonSerializer.Deserialize<string[]>(said)!;
    }
}
