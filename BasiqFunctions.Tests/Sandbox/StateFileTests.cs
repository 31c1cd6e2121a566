using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class StateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-state-").FullName;

    private string File => Path.Combine(_folder, "sandbox.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Everything_survives_a_restart_even_tokens()
    {
        string userId, jobId, server, transactions, consents, link;
        await using (var host = await SandboxHost.StartAsync(o => o.StateFile = File))
        {
            userId = await host.UserWithBank();
            server = host.Http.DefaultRequestHeaders.Authorization!.Parameter!;
            jobId = await host.Connect(userId, "jared", "AU90001");
            transactions = (await host.Get($"/users/{userId}/transactions?limit=20")).GetProperty("data").GetRawText();
            consents = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString()!;
            link = (await host.Send(HttpMethod.Post, $"/users/{userId}/auth_link", HttpStatusCode.Created, new { mobile = "+61410000000" }))
                .GetProperty("links").GetProperty("public").GetString()!;
        }

        await using var again = await SandboxHost.StartAsync(o => o.StateFile = File);
        again.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server);
        again.Clock.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("in-progress", (await again.Get($"/jobs/{jobId}")).GetProperty("steps")[1].GetProperty("status").GetString());
        var now = (await again.Get($"/users/{userId}/transactions?limit=20")).GetProperty("data").GetRawText();
        Assert.Equal(HostFree(transactions), HostFree(now));
        Assert.Equal(consents, (await again.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal(2, (await again.Get($"/users/{userId}/connections")).GetProperty("data").GetArrayLength());
        Assert.Equal(HttpStatusCode.SeeOther, (await again.Http.GetAsync(new Uri(link).AbsolutePath)).StatusCode);
    }

    [Fact]
    public async Task A_torn_last_line_is_dropped_and_one_in_the_middle_stops_the_start()
    {
        string userId;
        await using (var host = await SandboxHost.StartAsync(o => o.StateFile = File))
        {
            await host.SignIn();
            userId = await host.CreateUser();
        }

        await System.IO.File.AppendAllTextAsync(File, "{\"user\":{\"id\":\"torn");
        await using (var host = await SandboxHost.StartAsync(o => o.StateFile = File))
        {
            await host.SignIn();
            await host.Get($"/users/{userId}");
            await host.CreateUser();
        }

        await using (var host = await SandboxHost.StartAsync(o => o.StateFile = File))
        {
            await host.SignIn();
            await host.Get($"/users/{userId}");
        }

        await System.IO.File.WriteAllTextAsync(File, "{\"user\"\n" + await System.IO.File.ReadAllTextAsync(File));
        var exception = await Assert.ThrowsAsync<InvalidDataException>(
            async () => await (await SandboxHost.StartAsync(o => o.StateFile = File)).DisposeAsync());
        Assert.Contains("Line 1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_user_leaves_nothing_in_the_file_but_the_event()
    {
        await using var host = await SandboxHost.StartAsync(o => o.StateFile = File);
        await host.SignIn();
        var kept = await host.CreateUser("kept@mail.example");
        var deleted = await host.CreateUser("deleted@mail.example");
        await host.Connect(deleted);
        await host.Send(HttpMethod.Delete, $"/users/{deleted}", HttpStatusCode.NoContent);

        var text = await ReadShared();
        Assert.Contains(kept, text, StringComparison.Ordinal);
        Assert.Contains("user.deleted", Assert.Single(text.Split('\n'), l => l.Contains(deleted, StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain("deleted@mail.example", text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public async Task A_killed_process_has_forgotten_nothing_it_answered()
    {
        List<string> users = [];
        using (var process = await SandboxProcess.StartAsync(File))
        {
            using var http = new HttpClient { BaseAddress = new Uri(process.Url) };
            await Authorize(http);
            for (var i = 0; i < 20; i++)
            {
                using var response = await http.PostAsync("/users", new StringContent("{\"email\":\"a@b.example\"}", null, "application/json"));
                users.Add(await IdOf(response));
            }

            process.Kill();
        }

        using var next = await SandboxProcess.StartAsync(File);
        using var again = new HttpClient { BaseAddress = new Uri(next.Url) };
        await Authorize(again);
        foreach (var id in users)
            Assert.Equal(HttpStatusCode.OK, (await again.GetAsync($"/users/{id}")).StatusCode);
    }

    private static async Task Authorize(HttpClient http)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/token")
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("scope", "SERVER_ACCESS")]),
        };
        request.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        request.Headers.Add("basiq-version", "3.0");
        using var response = await http.SendAsync(request);
        using var body = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", body.RootElement.GetProperty("access_token").GetString());
    }

    private static async Task<string> IdOf(HttpResponseMessage response)
    {
        using var body = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("id").GetString()!;
    }

    private static string HostFree(string json) => System.Text.RegularExpressions.Regex.Replace(json, "http://127.0.0.1:[0-9]+", "");

    private async Task<string> ReadShared()
    {
        using var stream = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    /// <summary>The sandbox as a process of its own.</summary>
    private sealed class SandboxProcess : IDisposable
    {
        private readonly Process _process;

        private SandboxProcess(Process process, string url) => (_process, Url) = (process, url);

        public string Url { get; }

        public static async Task<SandboxProcess> StartAsync(string stateFile)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
            string[] arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.Sandbox.dll"),
                "--urls", "http://127.0.0.1:0",
                "--Sandbox:StateFile", stateFile,
            ];
            foreach (var argument in arguments)
                start.ArgumentList.Add(argument);
            var process = Process.Start(start)!;
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var line = await process.StandardOutput.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException("The sandbox did not start.");
            return new SandboxProcess(process, System.Text.RegularExpressions.Regex.Match(line, "http://127.0.0.1:[0-9]+").Value);
        }

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public void Dispose()
        {
            if (!_process.HasExited)
                Kill();
            _process.Dispose();
        }
    }
}
