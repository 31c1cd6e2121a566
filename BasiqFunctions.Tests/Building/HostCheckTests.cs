using System.Diagnostics;
using System.Text.RegularExpressions;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Building;

/// <summary><c>build/host-check.sh</c>, and the table of docs/hosts.md, against LocalHost: they are for any host.</summary>
[Trait("Category", "Journeys")]
public sealed partial class HostCheckTests
{
    private static string Script => Path.Combine(Repository.Root, "build", "host-check.sh");

    [SkippableFact]
    public async Task LocalHost_passes_and_goes_on_after_a_kill()
    {
        SkipWithoutBash();
        using var state = new TemporaryDirectory();
        var port = FreePort.Find();
        var host = $"exec dotnet '{Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll")}' --urls http://127.0.0.1:{port} "
            + $"--Sandbox:Url http://127.0.0.1:{FreePort.Find()} --LocalHost:StateDirectory '{state.Path}' --Sandbox:JobDuration 00:00:03 --LocalHost:FunctionKey a-key";

        var (code, said) = await RunAsync(Script, "--start", host, $"http://127.0.0.1:{port}", "a-key");

        Assert.True(code == 0, said);
        Assert.Contains("ok    a sync goes on after a kill (200)", said, StringComparison.Ordinal);
        Assert.DoesNotContain("skip ", said, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_host_whose_headers_are_wrong_does_not_pass()
    {
        SkipWithoutBash();
        await using var app = await AppUnderTest.StartAsync(configure: services => services.AddSingleton<IStartupFilter>(new OtherHeaders()));

        var (code, output) = await RunAsync(Script, app.Api.BaseAddress!.ToString());

        Assert.Equal(1, code);
        Assert.Contains("FAIL  the headers of a function: cache-control is ''", output, StringComparison.Ordinal);
        Assert.Contains("referrer-policy is 'no-referrer, and again no-referrer'", output, StringComparison.Ordinal);
        Assert.Contains("FAIL  HEAD of health", output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_wrong_key_and_a_wrong_address_do_not_pass()
    {
        SkipWithoutBash();
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=a-key"]);

        var (code, said) = await RunAsync(Script, app.Api.BaseAddress!.ToString(), "another");
        Assert.Equal(1, code);
        Assert.Contains("FAIL  CreateUser", said, StringComparison.Ordinal);

        (code, said) = await RunAsync(Script, $"http://127.0.0.1:{FreePort.Find()}");
        Assert.Equal(1, code);
        Assert.Contains("FAIL  health", said, StringComparison.Ordinal);
    }

    /// <summary>The column LocalHost begins with the status that the command of its row prints.</summary>
    [SkippableFact]
    public async Task The_table_of_the_hosts_says_what_LocalHost_does()
    {
        SkipWithoutBash();
        await using var app = await AppUnderTest.StartAsync();
        var rows = Row().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "hosts.md")))
            .Select(row => (Command: row.Groups["command"].Value, Status: row.Groups["status"].Value)).ToList();
        Assert.Equal(14, rows.Count);
        List<string> told = [], said = [];
        foreach (var (command, status) in rows.Where(row => !row.Command.Contains("sleep", StringComparison.Ordinal)))
        {
            var start = new ProcessStartInfo("bash", ["-c", command]);
            start.Environment["B"] = app.Api.BaseAddress!.GetLeftPart(UriPartial.Authority);
            start.Environment["KEY"] = "";
            var (_, output, _) = await ChildProcess.RunAsync(start, TimeSpan.FromMinutes(1));
            told.Add($"{Status().Match(output).Value} {command}");
            said.Add($"{status} {command}");
        }

        Assert.Equal(said, told);
    }

    private static void SkipWithoutBash() => Skip.If(OperatingSystem.IsWindows(), "The script is for bash and curl.");

    private static async Task<(int Code, string Said)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("bash", args);
        start.Environment["PATIENCE"] = args is [_, _] or [_, _, _] ? "2" : "180";
        var (code, output, errors) = await ChildProcess.RunAsync(start, TimeSpan.FromMinutes(8));
        return (code, output + errors);
    }

    [GeneratedRegex(@"^\| [^|`]*(?:`[^`|]*`[^|`]*)?: `(?<command>curl [^`]+)` \| (?<status>\d{3})", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\b[2-5]\d{2}\b")]
    private static partial Regex Status();

    /// <summary>Sends one header twice and one not at all, and to HEAD another type of content.</summary>
    private sealed class OtherHeaders : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, following) =>
            {
                context.Response.OnStarting(() =>
                {
                    var headers = context.Response.Headers;
                    if (context.Request.Path.Value is not "/api/health")
                        headers.Append("Referrer-Policy", "no-referrer");
                    else
                        headers.Remove("Cache-Control");
                    if (HttpMethods.IsHead(context.Request.Method))
                        context.Response.ContentType = "text/plain";
                    return Task.CompletedTask;
                });
                return following(context);
            });
            next(app);
        };
    }
}
