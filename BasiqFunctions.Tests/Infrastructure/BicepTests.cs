using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Infrastructure;

[Trait("Category", "Infra")]
public sealed class BicepTests
{
    [SkippableFact]
    public async Task The_compiler_and_its_linter_have_nothing_to_say()
    {
        BicepCompiler.SkipWithout();
        using var copy = BicepCompiler.Copy();

        var (code, output) = await BicepCompiler.RunAsync(Path.Combine(copy.Path, "infra"), "lint", "--pattern", "*.bicep*");

        Assert.True(code == 0 && output.Length == 0, output);
    }

    [SkippableFact]
    public async Task The_linter_would_say_something()
    {
        BicepCompiler.SkipWithout();
        using var copy = BicepCompiler.Copy();
        await new SourceChange("secret.bicep", "param vaultName string", "param vaultName string\nvar unused = 'x'").ApplyAsync(copy.Path);

        var (code, output) = await BicepCompiler.RunAsync(Path.Combine(copy.Path, "infra"), "lint", "secret.bicep");

        Assert.NotEqual(0, code);
        Assert.Contains("Error no-unused-vars", output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Sources_are_formatted()
    {
        BicepCompiler.SkipWithout();
        using var copy = BicepCompiler.Copy();

        Assert.Equal(0, (await BicepCompiler.RunAsync(copy.Path, "format", "--pattern", "infra/**/*.bicep*")).Code);

        var files = copy.Files.Where(file => Path.GetExtension(file) is ".bicep" or ".bicepparam").Select(file => Path.GetRelativePath(copy.Path, file)).ToList();
        Assert.Contains(Path.Combine("infra", "modules", "storage.bicep"), files);
        Assert.All(files, file => Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, file)), File.ReadAllText(Path.Combine(copy.Path, file))));
    }

    [SkippableFact]
    public async Task A_secret_is_asked_for_and_stands_in_no_file()
    {
        BicepCompiler.SkipWithout();
        using var copy = BicepCompiler.Copy();

        var (code, template) = await BicepCompiler.RunAsync(copy.Path, "build", Path.Combine(copy.Path, "infra", "secret.bicep"), "--stdout");

        Assert.Equal(0, code);
        var value = System.Text.Json.Nodes.JsonNode.Parse(template)!.At("parameters.value")!;
        Assert.Equal("securestring", value.Text("type"));
        Assert.Null(value["defaultValue"]);
    }
}
