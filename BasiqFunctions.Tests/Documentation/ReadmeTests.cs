using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using BasiqFunctions.Basiq;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Http;
using BasiqFunctions.Idempotency;
using BasiqFunctions.LocalHost;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tokens;
using BasiqFunctions.Users;

namespace BasiqFunctions.Tests.Documentation;

/// <summary>The README says what is so: its commands work as printed, and it leaves nothing out.</summary>
[Trait("Category", "Journeys")]
public sealed partial class ReadmeTests
{
    internal static string Readme => File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [SkippableFact]
    public async Task The_curl_lines_work_one_after_another()
    {
        Skip.IfNot(await IsThereAsync("bash") && await IsThereAsync("curl"), "bash or curl is not installed.");
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:01"]);
        var script = BashBlock().Match(Readme).Groups[1].Value
            .Replace("http://localhost:7071/api", app.Api.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal);
        Assert.Contains("curl", script, StringComparison.Ordinal);

        var (code, output) = await RunAsync("bash", "-euo", "pipefail", "-c", script);

        Assert.True(code == 0, output);
        Assert.Contains("\"firstName\":\"Max\"", output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"completed\"", output, StringComparison.Ordinal);
        Assert.Contains("\"transactions\":[{", output, StringComparison.Ordinal);
        Assert.Contains("\"connections\":[{", output, StringComparison.Ordinal);
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
            property => Assert.Contains($"`{section}:{property.Name}`", Readme, StringComparison.Ordinal));

    [Fact]
    public void Every_problem_code_is_explained() =>
        Assert.All(
            typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!),
            code => Assert.Contains($"`{code}`", Readme, StringComparison.Ordinal));

    [Fact]
    public void Every_dependency_has_its_reason() =>
        Assert.All(
            XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion"),
            package => Assert.Contains(package.Attribute("Include")!.Value, Readme, StringComparison.Ordinal));

    [Fact]
    public void Every_setting_of_the_Functions_host_has_its_reason()
    {
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "host.json")));
        var names = Leaves(settings.RootElement, "").Where(name => name != "version").ToArray();
        Assert.Contains("extensions.durableTask.hubName", names);
        Assert.All(names, name => Assert.True(
            Readme.Contains($"`{name}`", StringComparison.Ordinal)
            || Readme.Contains($"`{name.Replace("extensions.durableTask", "…", StringComparison.Ordinal).Replace("….", "…", StringComparison.Ordinal)}`", StringComparison.Ordinal),
            $"host.json sets {name}, and the README does not say why."));
    }

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

    [GeneratedRegex(@"```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlock();
}
