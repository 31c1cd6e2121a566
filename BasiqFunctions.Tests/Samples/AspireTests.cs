using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Samples;

/// <summary>Aspire's host starts the sandbox, the app and the sample, shows them on its dashboard, and takes them with it.</summary>
[Trait("Category", "Infra")]
public sealed class AspireTests
{
    private static readonly string Program = Path.Combine(Repository.Root, "samples", "aspire", "apphost.cs");

    [SkippableFact]
    public async Task One_command_starts_all_and_its_end_stops_all()
    {
        var (code, output, errors) = await ChildProcess.RunAsync(new("dotnet", ["build", Program, "-nodeReuse:false", "-p:UseSharedCompilation=false"]), TimeSpan.FromMinutes(4));
        Skip.If(code != 0 && output.Contains("NU1", StringComparison.Ordinal), $"Aspire cannot be restored here: {output}{errors}");
        Assert.True(code == 0, output + errors);
        using var folder = new TemporaryDirectory();
        var (api, dashboard) = (new Uri($"http://localhost:{LocalHostProcess.FreePort()}"), new Uri($"http://localhost:{LocalHostProcess.FreePort()}"));
        using var http = new HttpClient();
        using (var host = SampleProcess.Start("dotnet", ["run", "--no-build", "--no-launch-profile", Program], new Dictionary<string, string>
        {
            ["NO_BUILD"] = "1",
            ["DATA_FOLDER"] = folder.Path,
            ["API_PORT"] = $"{api.Port}",
            ["SANDBOX_PORT"] = $"{LocalHostProcess.FreePort()}",
            ["Parameters__user_id"] = "nobody",
            ["ASPNETCORE_URLS"] = $"{dashboard}",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{LocalHostProcess.FreePort()}",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
            ["DOTNET_ENVIRONMENT"] = "Development",
        }))
        {
            await AppUnderTest.WaitForAsync(() => AnswersAsync(http, new Uri(api, "api/health")), answers => answers);
            Assert.True(await AnswersAsync(http, dashboard));

            // The sample has opened its database: it runs.
            await AppUnderTest.WaitForAsync(() => Task.FromResult(File.Exists(Path.Combine(folder.Path, "copy.db"))), isThere => isThere);
            await host.KillAsync();
        }

        await AppUnderTest.WaitForAsync(() => AnswersAsync(http, new Uri(api, "api/health")), answers => !answers);
    }

    private static async Task<bool> AnswersAsync(HttpClient http, Uri url)
    {
        try
        {
            using var answer = await http.GetAsync(url);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
