using System.Text.RegularExpressions;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Documentation;

/// <summary>The file of requests for editors is the journey, as the API is.</summary>
[Trait("Category", "Journeys")]
public sealed partial class HttpFileTests
{
    private static readonly string[] Requests = File.ReadAllText(Path.Combine(Repository.Root, "samples", "BasiqFunctions.http")).ReplaceLineEndings("\n").Split("\n###")[1..];

    [Fact]
    public async Task Its_requests_run_in_their_order()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:00.1"]);
        var values = new Dictionary<string, string> { ["api"] = $"{app.Api.BaseAddress}".TrimEnd('/'), ["key"] = "none" };
        foreach (var text in Requests)
        {
            var parts = Name().Replace(text, name => values[name.Groups[1].Value]).Split('\n', 2)[1].Split("\n\n", 2);
            var lines = parts[0].Trim().Split('\n');
            var (verb, url) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1]);
            using var request = new HttpRequestMessage(new HttpMethod(verb), url);
            if (parts is [_, var rest] && rest.Trim() is { Length: > 0 } body)
                request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            foreach (var header in lines[1..].Select(line => line.Split(": ")).Where(header => header[0] is not "Content-Type"))
                request.Headers.Add(header[0], header[1]);
            using var answer = await app.Api.SendAsync(request);
            Assert.True(answer.IsSuccessStatusCode, $"{verb} {url}: {await answer.Content.ReadAsStringAsync()}");
            await NoteAsync(app, values, url, answer);
        }

        Assert.Equal(5, values.Count);
    }

    /// <summary>Takes out of an answer what a person would put in for the next requests.</summary>
    private static async Task NoteAsync(AppUnderTest app, Dictionary<string, string> values, string url, HttpResponseMessage answer)
    {
        if (url.EndsWith("/users", StringComparison.Ordinal))
        {
            values["userId"] = (await AppUnderTest.ReadAsync(answer)).GetProperty("id").GetString()!;
        }
        else if (url.EndsWith("/consent-link", StringComparison.Ordinal))
        {
            // What the person does on the page.
            var link = new Uri((await AppUnderTest.ReadAsync(answer)).GetProperty("url").GetString()!);
            using var back = await app.Api.GetAsync(await app.ConsentAsync(link, ["gavinBelson"]));
            values["syncId"] = (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!;
            await app.WaitForSyncAsync(values["userId"], values["syncId"]);
        }
        else if (url.EndsWith("/accounts", StringComparison.Ordinal))
        {
            values["accountId"] = (await AppUnderTest.ReadAsync(answer)).GetProperty("accounts")[0].GetProperty("id").GetString()!;
        }
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Name();
}
