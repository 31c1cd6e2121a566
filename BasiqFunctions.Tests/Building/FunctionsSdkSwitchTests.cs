using System.Diagnostics;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>What the app is compiled against, as MSBuild decides it for each who builds.</summary>
public sealed class FunctionsSdkSwitchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public Task A_plain_build_compiles_a_library_against_the_contracts() => AssertAsync("contracts", "Library");

    [Fact]
    public Task Publishing_compiles_the_worker_against_the_packages() =>
        AssertAsync("packages", "Exe", ["-p:_IsPublishing=true"]);

    [Fact]
    public Task Visual_Studio_compiles_the_worker_against_the_packages() =>
        AssertAsync("packages", "Exe", ["-p:BuildingInsideVisualStudio=true"]);

    [Theory]
    [InlineData("-p:OutputPath=bin/output")]
    [InlineData("-p:OutputPath=bin/output/")]
    [InlineData(@"-p:OutputPath=bin\output\")]
    [InlineData("-p:OutDir=/somewhere/BasiqFunctions/bin/output/")]
    public Task Core_Tools_which_build_into_their_own_folder_compile_the_worker_against_the_packages(string output) =>
        AssertAsync("packages", "Exe", [output]);

    [Fact]
    public Task Another_output_folder_changes_nothing() => AssertAsync("contracts", "Library", ["-p:OutputPath=bin/outputs"]);

    [Theory]
    [InlineData("packages", "Exe")]
    [InlineData("contracts", "Library")]
    public Task An_environment_variable_decides(string sdk, string output) => AssertAsync(sdk, output, environment: sdk);

    [Fact]
    public Task A_property_decides_against_the_environment_variable() =>
        AssertAsync("packages", "Exe", ["-p:FunctionsSdk=packages"], environment: "contracts");

    [Fact]
    public Task Whoever_asks_for_the_contracts_gets_them_even_when_publishing() =>
        AssertAsync("contracts", "Library", ["-p:_IsPublishing=true"], environment: "contracts");

    private static async Task AssertAsync(string sdk, string output, string[]? properties = null, string? environment = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                "msbuild",
                Path.Combine(Repository.Root, "BasiqFunctions", "BasiqFunctions.csproj"),
                "-getProperty:FunctionsSdk",
                "-getProperty:OutputType",
            },
        };
        foreach (var property in properties ?? [])
            start.ArgumentList.Add(property);
        // Whatever these tests themselves were built with is no part of the question.
        string[] deciding = ["FunctionsSdk", "_IsPublishing", "BuildingInsideVisualStudio", "OutputPath", "OutDir"];
        foreach (var name in start.Environment.Keys.Where(n => deciding.Contains(n, StringComparer.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        if (environment is not null)
            start.Environment["FunctionsSdk"] = environment;

        var (code, written, errors) = await ChildProcess.RunAsync(start, Patience);
        Assert.True(code == 0, $"MSBuild said: {written}{errors}");
        using var answer = JsonDocument.Parse(written);
        var chosen = answer.RootElement.GetProperty("Properties");
        Assert.Equal(
            (sdk, output),
            (chosen.GetProperty("FunctionsSdk").GetString(), chosen.GetProperty("OutputType").GetString()));
    }
}
