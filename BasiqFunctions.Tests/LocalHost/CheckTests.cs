using System.Diagnostics;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.LocalHost;

/// <summary>The check says what works and what to do about what does not; the demo needs nothing that a copied sample names.</summary>
[Trait("Category", "Journeys")]
public sealed class CheckTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_settings_everything_works_on_the_sandbox()
    {
        var (code, output) = await RunAsync("check");
        Assert.True(code == 0, output);
        Assert.Contains("Basiq is simulated", output, StringComparison.Ordinal);
        foreach (var name in (string[])["server-token", "key-vault", "snapshots", "records", "task-hub", "basiq", "notifications"])
            Assert.Contains($"✓ {name}", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, ".local")));
    }

    [Theory]
    [InlineData("--Basiq:BaseUrl=https://basiq.invalid", "https://basiq.invalid cannot be reached: the name does not resolve.")]
    [InlineData("--Basiq:BaseUrl=http://127.0.0.1:1", "http://127.0.0.1:1 cannot be reached: nothing listens there. Start the sandbox: dotnet run --project BasiqFunctions.Sandbox")]
    [InlineData("--AzureWebJobsStorage=UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.2", "cannot be reached: nothing listens there. Start Azurite: npx azurite")]
    public async Task What_cannot_be_reached_is_named_with_the_reason(string setting, string said)
    {
        var (code, output) = await RunAsync("check", "--Basiq:ApiKey=some-key", "--Basiq:BaseUrl=http://127.0.0.1:1", "--Basiq:MaxRetries=0", "--LocalHost:AllowPlain=true", setting);
        Assert.True(code == 1, output);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.DoesNotContain("some-key", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_Basiq_refuses_is_told_apart_from_a_Basiq_that_is_away()
    {
        await using var app = await AppUnderTest.StartAsync();
        var (code, output) = await RunAsync("check", "--Basiq:ApiKey=d3Jvbmc=", $"--Basiq:BaseUrl={app.Sandbox.BaseAddress!.GetLeftPart(UriPartial.Authority)}");
        Assert.True(code == 1, output);
        Assert.Contains("✗ server-token Basiq refuses the API key.", output, StringComparison.Ordinal);
        Assert.Contains("✓ basiq", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_setting_is_named_with_the_nearest_one()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "local.settings.json"), """{"Values": {"Sync__PageSiz": "100"}}""");
        var (_, output) = await RunAsync("check");
        Assert.Contains("There is no setting Sync:PageSiz. Did you mean 'Sync:PageSize'?", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_beside_the_values_is_named()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "local.settings.json"), """{"IsEncrypted": false, "Basiq__ApiKey": "abc"}""");
        var (code, output) = await RunAsync("check");
        Assert.Equal(2, code);
        Assert.Contains("has Basiq__ApiKey beside \"Values\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_passes_over_a_copied_sample_and_names_what_it_is_told_to_use_and_is_not_there()
    {
        File.Copy(Path.Combine(Repository.Root, "local.settings.sample.json"), Path.Combine(_folder.Path, "local.settings.json"));
        var (code, output) = await RunAsync("demo", "--Sandbox:JobDuration=00:00:00.5");
        Assert.True(code == 0, output);

        (code, output) = await RunAsync("demo", $"--Basiq:ApiKey={SandboxOptions.DefaultApiKey}", "--Basiq:BaseUrl=http://127.0.0.1:1", "--urls=http://127.0.0.1:0");
        Assert.True(code == 2, output);
        Assert.Contains("http://127.0.0.1:1 cannot be reached: nothing listens there. Start the sandbox", output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll"), .. args]) { WorkingDirectory = _folder.Path };
        var (code, output, errors) = await ChildProcess.RunAsync(start, TimeSpan.FromMinutes(2));
        return (code, string.Join(' ', (output + errors).Split((char[])['\r', '\n', ' '], StringSplitOptions.RemoveEmptyEntries)));
    }
}
