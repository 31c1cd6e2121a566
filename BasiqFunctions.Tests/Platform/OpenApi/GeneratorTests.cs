using System.ComponentModel;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Samples;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>Linters have nothing to say of the description of the API, and generators make of it what compiles; Kiota does so in each build of BasiqFunctions.Client.</summary>
[Trait("Category", "Infra")]
public sealed class GeneratorTests : IDisposable
{
    private static readonly string Description = Path.Combine(Repository.Root, "BasiqFunctions/Platform/OpenApi/openapi.json");

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task Redocly_has_nothing_to_say()
    {
        // Health refuses nothing.
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "redocly.yaml"), "extends: [recommended]\nrules: { operation-4xx-response: off }\n");
        var said = await RunAsync("@redocly/cli", "2.77.0", "bin/cli.js", "lint", Description, "--format=summary");
        Assert.DoesNotContain("warning", said, StringComparison.OrdinalIgnoreCase);
    }

    [SkippableFact]
    public async Task Spectral_has_nothing_to_say()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, ".spectral.yaml"), "extends: [\"spectral:oas\"]\n");
        await RunAsync("@stoplight/spectral-cli", "6.16.3", "dist/index.js", "lint", Description, "--fail-severity=hint");
    }

    [SkippableFact]
    public async Task The_types_that_openapi_typescript_makes_are_right()
    {
        await RunAsync("openapi-typescript", "7.13.0", "bin/cli.js", Description, "-o", "api.ts");
        await RunAsync("typescript", "5.9.3", "bin/tsc", "--noEmit", "--strict", "api.ts");
    }

    [SkippableFact]
    public async Task The_client_that_orval_makes_is_right()
    {
        await RunAsync("orval", "7.13.2", "dist/bin/orval.js", "--input", Description, "--output", "api.ts", "--client", "fetch");
        await RunAsync("typescript", "5.9.3", "bin/tsc", "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "--module", "esnext", "--moduleResolution", "bundler", "api.ts");
    }

    [SkippableFact]
    public async Task The_client_that_NSwag_makes_compiles()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "client"));
        await RunToolAsync(
            "NSwag.ConsoleCore", "14.8.0", "nswag", "openapi2csclient", $"/input:{Description}", "/output:client/Api.cs", "/namespace:Client", "/classname:Api",
            "/JsonLibrary:SystemTextJson", "/GenerateNullableReferenceTypes:true");
        await CompileAsync();
    }

    /// <summary>Compiles what was generated; a warning is an error.</summary>
    private async Task CompileAsync()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder.Path, "client", "Client.csproj"),
            """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
            </Project>
            """);
        var (code, output, errors) = await ChildProcess.RunAsync(
            new("dotnet", ["build", Path.Combine(_folder.Path, "client"), "-nodeReuse:false", "-p:UseSharedCompilation=false"]) { WorkingDirectory = _folder.Path }, Patience);
        Assert.True(code == 0, output + errors);
    }

    private async Task RunToolAsync(string package, string version, string command, params string[] arguments)
    {
        var tool = await DotnetTool.InstallAsync(Path.Combine(_folder.Path, "tools"), package, version, command);
        var (code, output, errors) = await ChildProcess.RunAsync(new(tool, arguments) { WorkingDirectory = _folder.Path }, Patience);
        Assert.True(code == 0, output + errors);
    }

    private async Task<string> RunAsync(string package, string version, string program, params string[] arguments)
    {
        string script, node;
        try
        {
            node = await NodeRuntime.FindAsync();
            script = Path.Combine(await NpmPackage.InstallAsync(package, version), program);
        }
        catch (Exception e) when (e is NpmException or Win32Exception or TimeoutException)
        {
            Skip.If(true, $"{package} cannot be installed here: {e.Message}");
            throw;
        }

        var (code, output, errors) = await ChildProcess.RunAsync(new(node, [script, .. arguments]) { WorkingDirectory = _folder.Path }, Patience);
        Assert.True(code == 0, output + errors);
        return output + errors;
    }
}
