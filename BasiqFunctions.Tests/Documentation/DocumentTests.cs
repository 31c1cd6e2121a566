using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using BasiqFunctions.Basiq;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.OpenApi;

namespace BasiqFunctions.Tests.Documentation;

/// <summary>The documents say what is so: their commands work as printed, their links lead somewhere, and they leave nothing out.</summary>
[Trait("Category", "Journeys")]
public sealed partial class DocumentTests
{
    /// <summary>A page of <c>docs/</c>.</summary>
    internal static string Page(string name) => File.ReadAllText(Path.Combine(Repository.Root, "docs", $"{name}.md"));

    [SkippableFact]
    public async Task The_curl_lines_work_one_after_another()
    {
        Skip.IfNot(await IsThereAsync("bash") && await IsThereAsync("curl"), "bash or curl is not installed.");
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:01"]);
        var script = BashBlock().Match(Page("api")).Groups[1].Value
            .Replace("http://localhost:7071/api", app.Api.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal);
        Assert.Contains("curl", script, StringComparison.Ordinal);

        var (code, output) = await RunAsync("bash", "-euo", "pipefail", "-c", script);

        Assert.True(code == 0, output);
        Assert.Contains("\"firstName\":\"Max\"", output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"completed\"", output, StringComparison.Ordinal);
        Assert.Contains("\"transactions\":[{", output, StringComparison.Ordinal);
        Assert.Contains("\"connections\":[{", output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_PowerShell_lines_work_one_after_another()
    {
        using var folder = new TemporaryDirectory();
        var pwsh = await DotnetTool.InstallAsync(folder.Path, "PowerShell", "7.6.9", "pwsh");
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:01"]);
        var script = Path.Combine(folder.Path, "journey.ps1");
        await File.WriteAllTextAsync(script, "$ErrorActionPreference = 'Stop'; $PSStyle.OutputRendering = 'PlainText'\n" + PowerShellBlock().Match(Page("api")).Groups[1].Value
            .Replace("http://localhost:7071/api", app.Api.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal));

        var (code, output, errors) = await ChildProcess.RunAsync(new(pwsh, ["-NoProfile", "-File", script]), TimeSpan.FromMinutes(2));

        Assert.True(code == 0, output + errors);
        Assert.Matches("firstName +: Max", output);
        Assert.Matches("(?m)^completed\\r?$", output);
        Assert.Matches("(?m)^Everyday Account +-?[0-9.]+ +AUD", output);
        Assert.Matches("(?m)^healthy\\r?$", output);
    }

    [Theory]
    [InlineData(typeof(BasiqOptions), "Basiq")]
    [InlineData(typeof(KeyVaultOptions), "KeyVault")]
    [InlineData(typeof(HttpOptions), "Http")]
    [InlineData(typeof(ConsentOptions), "Consent")]
    [InlineData(typeof(SyncOptions), "Sync")]
    [InlineData(typeof(SnapshotOptions), "Snapshots")]
    [InlineData(typeof(IdempotencyOptions), "Idempotency")]
    [InlineData(typeof(LocalHostOptions), "LocalHost")]
    public void Every_setting_is_in_the_table(Type options, string section) =>
        Assert.All(
            options.GetProperties().Where(p => p.CanWrite),
            property => Assert.Contains($"`{section}:{property.Name}`", Page("configuration"), StringComparison.Ordinal));

    [Fact]
    public void Every_problem_code_is_explained() =>
        Assert.All(
            typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!),
            code => Assert.Contains($"`{code}`", Page("api"), StringComparison.Ordinal));

    [Fact]
    public void Every_test_user_can_be_logged_in() =>
        Assert.All(TestUsers.All, user => Assert.Contains($"| `{user.LoginId}` | `{user.Password}` |", Page("local-development"), StringComparison.Ordinal));

    [Fact]
    public void Every_HTTP_function_has_its_row() =>
        Assert.All(DocumentWriter.Functions, function => Assert.Matches($@"(?m)^\|[^|]*\b{function.Name}\b", Page("api")));

    [Fact]
    public void Every_dependency_has_its_reason() =>
        Assert.All(
            XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion"),
            package => Assert.Contains(package.Attribute("Include")!.Value, Page("dependencies"), StringComparison.Ordinal));

    [Fact]
    public void Every_setting_of_the_Functions_host_has_its_reason()
    {
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "host.json")));
        var names = Leaves(settings.RootElement, "").Where(name => name != "version").ToArray();
        Assert.Contains("extensions.durableTask.hubName", names);
        var page = Page("local-development");
        Assert.All(names, name => Assert.True(
            page.Contains($"`{name}`", StringComparison.Ordinal)
            || page.Contains($"`{name.Replace("extensions.durableTask", "…", StringComparison.Ordinal).Replace("….", "…", StringComparison.Ordinal)}`", StringComparison.Ordinal),
            $"host.json sets {name}, and docs/local-development.md does not say why."));
    }

    [Fact]
    public void The_README_opens_with_the_command_that_runs_it_and_the_one_that_tests_it()
    {
        var blocks = Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(match => match.Groups[1].Value.Trim()).Take(2);

        Assert.Equal(["dotnet run --project BasiqFunctions.LocalHost -- demo", "dotnet test"], blocks);
    }

    [Fact]
    public void Every_link_of_a_document_leads_to_a_file_and_a_heading_that_are_there()
    {
        var pages = Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md")
            .Concat(((string[])["README.md", "CONTRIBUTING.md", "infra/README.md", "samples/csharp/README.md", "samples/typescript/README.md"]).Select(file => Path.Combine(Repository.Root, file)));
        var links = pages.SelectMany(page => Link().Matches(File.ReadAllText(page)).Select(match => (page, target: match.Groups[1].Value)))
            .Where(link => !link.target.StartsWith("http", StringComparison.Ordinal)).ToArray();

        Assert.True(links.Length > 20);
        Assert.All(links, link =>
        {
            var (file, heading) = link.target.Split('#') is [var name, var anchor] ? (name, anchor) : (link.target, null);
            var path = file.Length == 0 ? link.page : Path.Combine(Path.GetDirectoryName(link.page)!, file);
            Assert.True(File.Exists(path), $"{link.page} links to {link.target}.");
            if (heading is not null)
                Assert.Contains(heading, File.ReadLines(path).Where(line => line.StartsWith('#')).Select(Anchor));
        });
    }

    /// <summary>A heading's anchor, as GitHub makes it.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.TrimStart('#').Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static IEnumerable<string> Leaves(JsonElement element, string path) =>
        element.ValueKind is JsonValueKind.Object
            ? element.EnumerateObject().SelectMany(p => Leaves(p.Value, path.Length == 0 ? p.Name : $"{path}.{p.Name}"))
            : [path];

    private static async Task<bool> IsThereAsync(string program)
    {
        try
        {
            return (await RunAsync(program, "--version")).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] args)
    {
        var (code, output, errors) = await ChildProcess.RunAsync(new ProcessStartInfo(program, args), TimeSpan.FromSeconds(90));
        return (code, output + errors);
    }

    [GeneratedRegex(@"```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```powershell\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex PowerShellBlock();

    [GeneratedRegex(@"```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlock();
}
